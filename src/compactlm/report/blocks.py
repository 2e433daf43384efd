"""The blocks that make up a section of the page. The template draws each kind and escapes its text."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from compactlm.figures.figure import Figure, Status
from compactlm.figures.numbers import plain, stated

WORST, WEAK = "worst", "weak"
MARKS = {Status.VIOLATED: WORST, Status.UNDECIDED: WEAK, Status.NOT_JUDGED: WEAK}


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: the content. It also says in words what mark and shade show.
        mark: WORST, WEAK or "".
        shade: how dark the cell is, 0 to 1; None for no shade.
    """

    text: str
    mark: str = ""
    shade: float | None = None

    @classmethod
    def of(cls, figure: Figure, show: Callable[[float], str] = plain, worst: bool = False) -> Cell:
        """Return a cell with a figure and its status; `worst` marks the lowest of several figures."""
        if worst and figure.judged:
            return cls(f"{stated(figure, show)}, worst", WORST)
        return cls(stated(figure, show), MARKS.get(figure.status, ""))


@dataclasses.dataclass(frozen=True)
class Table:
    """A table. The first column names the rows. A narrow table may be placed next to others."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    note: str = ""
    narrow: bool = False
    kind: str = dataclasses.field(default="table", init=False)

    def cells(self) -> list[list[Cell]]:
        """Return all rows; every entry is a Cell."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]


@dataclasses.dataclass(frozen=True)
class Chart:
    """A drawing with its caption."""

    caption: str
    svg: Markup
    kind: str = dataclasses.field(default="chart", init=False)


@dataclasses.dataclass(frozen=True)
class Text:
    """A paragraph, or a warning."""

    text: str
    warning: bool = False
    kind: str = dataclasses.field(default="text", init=False)


@dataclasses.dataclass(frozen=True)
class Heading:
    """A heading below the section's heading."""

    text: str
    kind: str = dataclasses.field(default="heading", init=False)


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of an example's text. `level` is its importance, 0 to 3; `against` marks evidence against the prediction."""

    text: str
    level: int = 0
    against: bool = False


@dataclasses.dataclass(frozen=True)
class Example:
    """A row that the student gets wrong.

    Attributes:
        label: the expected label, in words.
        answers: the answer of each model, in words.
        parts: the text.
        tokens: the most important tokens, in words.
    """

    label: str
    answers: Sequence[str]
    parts: Sequence[Part]
    tokens: str
    kind: str = dataclasses.field(default="example", init=False)


@dataclasses.dataclass(frozen=True)
class Folded:
    """A long text that opens on demand."""

    summary: str
    text: str
    kind: str = dataclasses.field(default="folded", init=False)


Block = Table | Chart | Text | Heading | Example | Folded


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page. `machine` marks a section whose numbers depend on the machine."""

    name: str
    title: str
    lead: str
    blocks: Sequence[Block]
    machine: bool = False

    def runs(self) -> list[tuple[bool, list[Block]]]:
        """Return runs of blocks: blocks that may be placed side by side, and blocks that may not."""
        return [(beside, list(run)) for beside, run in itertools.groupby(self.blocks, _beside)]


def _beside(block: Block) -> bool:
    return isinstance(block, Chart | Example) or (isinstance(block, Table) and block.narrow)


def with_headings(parts: Iterable[tuple[str, Sequence[Block]]]) -> list[Block]:
    """Return the blocks of several tasks, with a heading for each task if there is more than one."""
    listed = list(parts)
    return [block for title, blocks in listed for block in ([Heading(title)] if len(listed) > 1 else []) + list(blocks)]

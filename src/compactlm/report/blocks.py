"""What a section of the page is made of. The template knows how each is drawn; text is escaped there."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from markupsafe import Markup


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what stands in it.
        mark: "worst", "bad" or "good", which the text says too; or "".
        shade: 0 to 1, how dark it is; None for none.
    """

    text: str
    mark: str = ""
    shade: float | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table whose first column names the rows; a narrow one may stand beside others."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    note: str = ""
    narrow: bool = False
    kind: str = dataclasses.field(default="table", init=False)

    def cells(self) -> list[list[Cell]]:
        """Return all rows, every cell a Cell."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]


@dataclasses.dataclass(frozen=True)
class Chart:
    """A drawing with its caption."""

    caption: str
    svg: Markup
    kind: str = dataclasses.field(default="chart", init=False)


@dataclasses.dataclass(frozen=True)
class Text:
    """A paragraph; a warning stands out."""

    text: str
    warning: bool = False
    kind: str = dataclasses.field(default="text", init=False)


@dataclasses.dataclass(frozen=True)
class Heading:
    """A heading below the section's."""

    text: str
    kind: str = dataclasses.field(default="heading", init=False)


@dataclasses.dataclass(frozen=True)
class Part:
    """A stretch of an example's text, and how much it mattered: `level` 0 (not) to 3, for the prediction or against it."""

    text: str
    level: int = 0
    against: bool = False


@dataclasses.dataclass(frozen=True)
class Example:
    """A row that a model got wrong: what it should be, what was said, the text, and what mattered in words."""

    label: str
    said: Sequence[str]
    parts: Sequence[Part]
    mattered: str
    kind: str = dataclasses.field(default="example", init=False)


@dataclasses.dataclass(frozen=True)
class Folded:
    """Something long that opens on demand."""

    summary: str
    text: str
    kind: str = dataclasses.field(default="folded", init=False)


Block = Table | Chart | Text | Heading | Example | Folded


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page. `machine` marks one whose numbers belong to the machine that measured them."""

    name: str
    title: str
    lead: str
    blocks: Sequence[Block]
    machine: bool = False

    def runs(self) -> list[tuple[bool, list[Block]]]:
        """Return the blocks in stretches of those that stand side by side where there is room, and of all others."""
        return [(beside, list(run)) for beside, run in itertools.groupby(self.blocks, _beside)]


def _beside(block: Block) -> bool:
    return isinstance(block, Chart | Example) or (isinstance(block, Table) and block.narrow)

"""Answer the lines of a file, for all commands for tasks."""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import typer

from compactlm.commands.terminal import notice, notice_replaced, to_json
from compactlm.errors import CompactLMError
from compactlm.text.formats.lines import Line, read_lines, read_objects
from compactlm.text.unicode import encodable

Texts = str | tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Source:
    """The lines that a command answers.

    Attributes:
        file: the path; "-" is standard input.
        field: the field with the text, if lines are JSON objects.
        pair_field: the field with the second text, if lines are JSON objects with pairs.
        pair: the second text of every line, if lines are single texts that are all paired with it.
    """

    file: str
    field: str | None = None
    pair_field: str | None = None
    pair: str | None = None

    def __iter__(self) -> Iterator[tuple[Line, Texts]]:
        """Yield each line with its text or pair. A line that cannot be read has empty texts."""
        if self.pair_field is None:
            for line in read_lines(self.file, self.field):
                yield line, line.text if self.pair is None else (line.text, self.pair)
            return
        names = (self.field or "text", self.pair_field)
        for line, row in read_objects(self.file):
            missing = [name for name in names if not isinstance(row.get(name), str)]
            if line.error or missing:
                yield Line(line.number, "", line.error or f"it has no text in the field {missing[0]!r}"), ("", "")
            else:
                first, second = (encodable(row[name]) for name in names)
                yield Line(line.number, first), (first, second)


def source_of(text: str | None, file: str | None, field: str | None, pair_field: str | None, pair: str | None) -> Source | None:
    """Return the lines that the options of a command name, or None for a single text.

    Raises:
        typer.BadParameter: the options contradict each other.
    """
    if (text is None) == (file is None):
        raise typer.BadParameter("pass either a text or --file")
    if text is not None and text != "-":
        for name, given in (("--field", field), ("--pair-field", pair_field)):
            if given is not None:
                raise typer.BadParameter(f"{name} needs lines; pass --file, or - for standard input")
        return None
    if pair is not None and pair_field is not None:
        raise typer.BadParameter("pass either --pair or --pair-field")
    return Source(file or "-", field, pair_field, pair)


def answer_lines(
    source: Iterable[tuple[Line, Texts]],
    answer: Callable[[Iterator[Texts]], Iterator[Any]],
    write: Callable[[str, Any], str],
    *,
    json: bool,
    flush: bool = False,
    columns: int = 2,
    limit: int | None = None,
) -> None:
    """Print one line for each line of a source.

    Args:
        source: lines with their texts.
        answer: a function that yields an answer for each text, in order.
        write: a function that returns the output for a text (without tabs and line breaks) and its answer.
        json: whether to print the answer as JSON instead.
        flush: whether each line is printed at once.
        columns: the number of cells before the text. They are empty for a line that cannot be read.
        limit: the maximum number of tokens of the model, for the notice about truncated texts.

    Raises:
        CompactLMError: lines of JSON objects could not be read. All other lines have been answered.
    """
    waiting: deque[Line] = deque()

    def texts() -> Iterator[Texts]:
        for line, given in source:
            waiting.append(line)
            yield given

    structured = getattr(source, "field", None) is not None or getattr(source, "pair_field", None) is not None
    cut, unknown = 0, 0
    broken: list[Line] = []
    for found in answer(texts()):
        line = waiting.popleft()
        if line.error:
            broken.append(line)
        else:
            unknown += found.unknown
        cut += getattr(found, "cut", False)
        if structured and line.error:
            row = to_json({"error": line.error}) if json else "\t" * columns
        else:
            row = to_json(found) if json else write(flat(line.text), found)
        sys.stdout.write(row + "\n")  # typer.echo would flush each line
        if flush:
            sys.stdout.flush()
    sys.stdout.flush()
    if cut:
        notice(f"{cut:,} texts are longer than {limit} tokens, so they were truncated")
    if unknown:
        notice(f"of {unknown:,} texts at least half is unknown to the model's vocabulary, so their answers mean little")
    if broken and structured:
        raise CompactLMError(
            f"{len(broken):,} lines could not be read and have no answer (line {broken[0].number}: {broken[0].error}); "
            "fix them and run the command again"
        )
    if broken:
        notice_replaced(len(broken), f", first in line {broken[0].number}")


def flat(text: str) -> str:
    """Return a text for one cell. Tabs and line breaks, which JSON may contain, become spaces."""
    return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")


def notice_single(found: Any, limit: int, consequence: str) -> None:
    """Print a notice if a text was truncated, or if it is unknown to the vocabulary and `consequence` follows."""
    if getattr(found, "cut", False):
        notice(f"the text is longer than {limit} tokens, so it was truncated")
    if found.unknown:
        notice(f"at least half of the text is unknown to the model's vocabulary, so {consequence}")

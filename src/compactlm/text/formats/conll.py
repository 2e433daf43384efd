"""Rows of CoNLL files, which have one word per line with its tags in further columns, and a blank line between sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from compactlm.errors import CompactLMError
from compactlm.text.formats.delimited import Row

DOCSTART = "-DOCSTART-"
_RANGE = re.compile(r"\d+[-.]\d+")  # CoNLL-U: a word that the next lines repeat in parts, or an empty node


def conll_rows(lines: Iterable[tuple[int, str]], where: str) -> Iterator[tuple[str, Row]]:
    """Yield the position and the cells of each sentence, a list for each column by its position from 0.

    The first column is also named `words`. If there are several columns, the last is also named `tags`. Lines of -DOCSTART- begin a new
    document. `document` is its number, or None without such lines. Cells are separated by tabs or, in a file without tabs, by white space.
    Lines that begin with a number sign and are not rows are comments, as in CoNLL-U.

    Args:
        lines: the number and the text of every line, blank ones included.
        where: the name of the file, for messages.

    Raises:
        CompactLMError: a line has more or fewer columns than the first one, or an empty word.
    """
    reader = _Reader(where)
    for number, line in lines:
        yield from reader.read(number, line)
    yield from reader.sentence()


class _Reader:
    """Collects lines into sentences."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._separator: str | None = None
        self._first: tuple[int, int] | None = None  # the number of the first line with cells, and how many it has
        self._documents = 0
        self._started = 0
        self._cells: list[list[str]] = []

    def read(self, number: int, line: str) -> Iterator[tuple[str, Row]]:
        if not line.strip():
            yield from self.sentence()
            return
        if line.startswith(DOCSTART):
            yield from self.sentence()
            self._documents += 1
            return
        if self._first is None and not line.startswith("# "):
            self._separator = "\t" if "\t" in line else None
        cells = [cell.strip() for cell in line.split(self._separator)] if self._separator else line.split()
        if self._first is None:
            if line.startswith("# "):
                return
            self._first = (number, len(cells))
        if len(cells) != self._first[1]:
            if line.startswith("#"):
                return
            raise CompactLMError(
                f"{self._where} has {len(cells)} columns at line {number}, but {self._first[1]} at line {self._first[0]}; give each word a "
                "line with equally many columns, and put a blank line between sentences"
            )
        if not cells[0]:
            raise CompactLMError(f"{self._where} has no word at line {number}; add it, or make the line blank")
        if _RANGE.fullmatch(cells[0]) and len(cells) == 10:
            return
        if not self._cells:
            self._started = number
        self._cells.append(cells)

    def sentence(self) -> Iterator[tuple[str, Row]]:
        if not self._cells:
            return
        columns = [list(column) for column in zip(*self._cells, strict=True)]
        row: dict[str | int, object] = dict(enumerate(columns))
        row["words"] = columns[0]
        if len(columns) > 1:
            row["tags"] = columns[-1]
        row["document"] = str(self._documents) if self._documents else None
        self._cells = []
        yield f"line {self._started}", row

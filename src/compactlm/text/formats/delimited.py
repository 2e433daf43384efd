"""Rows of csv and tsv files from their lines."""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from tqdm import tqdm

from compactlm.errors import CompactLMError, readable

LONGEST_LINE = 64_000_000  # a line of more characters is hardly text and would fill the memory
MANY_LINES = 100  # a cell with more lines is most often a quote that was not closed
_LOOKED_AT, _FEWEST_QUOTED = 20, 3  # lines of a tsv file that show whether its cells are in quotes
_QUOTED = re.compile('"(?>(?:[^"]|"")*)"')
OTHER_DELIMITERS = {";": "';'", "\t": "'\\t'", "|": "'|'"}  # as they are written in YAML

Cells = Iterator[tuple[int, list[str]]]
Row = Mapping[str | int, object]


def csv_cells(lines: Iterable[str], where: str, delimiter: str) -> Cells:
    """Yield the number of the last line and the cells of each row of a csv file, except rows without text.

    A cell of more than MANY_LINES lines is reported on standard error, once per file.

    Raises:
        CompactLMError: quotes are not closed, or do not enclose a whole cell. The message has the line at which the row begins.
    """
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    told = False
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reach = f", in a row that reaches line {reader.line_num}" if reader.line_num > first else ""
            raise CompactLMError(
                f"{where} is not valid csv at line {first} ({error}{reach}); close the quote there or double it, or correct the format"
            ) from None
        if cells is None:
            return
        if reader.line_num - first >= MANY_LINES and not told:
            told = True
            rows = f"a row from line {first} to line {reader.line_num}; if these are several rows, close the quote there"
            tqdm.write(readable(f"warning: {where} has {rows}"), file=sys.stderr)
        if any(cells):
            yield reader.line_num, cells


def tsv_cells(lines: Iterator[tuple[int, str]], where: str) -> Cells:
    """Yield the cells of each line of a tsv file with its number.

    Every tab separates cells, and quotes are text. But a file is read like csv if each cell of the first line, or each cell of a column in
    the next lines, is in quotes. A cell in quotes that has doubled quotes inside is a quoted one in any file.
    """
    first = list(itertools.islice(lines, _LOOKED_AT))
    rows = itertools.chain(first, lines)
    if _is_quoted([line.split("\t") for _, line in first]):
        yield from csv_cells((f"{line}\n" for _, line in rows), where, "\t")
        return
    for number, line in rows:
        cells = line.split("\t")
        yield number, [_unquoted(cell) for cell in cells] if '""' in line else cells


def _is_quoted(rows: list[list[str]]) -> bool:
    if not rows:
        return False
    columns = itertools.zip_longest(*rows[1:], fillvalue="") if len(rows) > _FEWEST_QUOTED else ()
    return any(all(map(_QUOTED.fullmatch, cells)) for cells in (rows[0], *columns))


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if '""' in cell[1:-1] and _QUOTED.fullmatch(cell) else cell


def table(lines: Cells, where: str, delimiter: str, *, header: bool) -> Iterator[tuple[str, Row]]:
    """Yield the position and the cells of each row, by position from 0 and, with a header, by name.

    Raises:
        CompactLMError: two columns have the same name, a row has more cells than the header, or the header has another delimiter.
    """
    names = next(lines, (0, []))[1] if header else []
    _check_names(names, where, delimiter)
    for number, cells in lines:
        if header and any(cell.strip() for cell in cells[len(names) :]):
            # A cell without a name would be lost; most often it is the end of a text.
            remedy = "remove tabs inside cells" if delimiter == "\t" else f"put cells that contain {delimiter!r} into quotes"
            raise CompactLMError(f"{where} has {len(cells)} cells at line {number} but {len(names)} names in its header; {remedy}")
        row: dict[str | int, object] = dict(enumerate(cells))
        row.update(zip(names, cells, strict=False))
        yield f"line {number}", row


def _check_names(names: list[str], where: str, delimiter: str) -> None:
    check_different(names, where)
    if len(names) == 1:
        for other, written in OTHER_DELIMITERS.items():
            if other != delimiter and other in names[0]:
                raise CompactLMError(
                    f"{where} has the single column {names[0]!r}, whose cells seem to end with {written}; set delimiter: {written} for the "
                    "source, or write the file with commas"
                )


def check_different(names: Iterable[str], where: str) -> None:
    """Raise CompactLMError if two columns have the same name, because one of them would be lost. Blank names may repeat."""
    seen: set[str] = set()
    for name in names:
        if name in seen and name.strip():
            raise CompactLMError(f"{where} has two columns with the name {name!r}; rename or remove one of them")
        seen.add(name)

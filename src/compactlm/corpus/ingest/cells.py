"""Read the cells of a row by the columns that params.yaml names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compactlm.errors import CompactLMError
from compactlm.text.expressions import BoundedExpression
from compactlm.text.formats.tables import Row
from compactlm.text.unicode import encodable

SHOWN = 80  # messages show this many characters of a value


def cell_at(row: Row, column: str | int, place: str, role: str) -> object:
    """Return the cell of a column, given by name, position, or a path of names and positions such as `answers.0.text`.

    A name that contains dots wins over a path. Messages name `place` (where the row is) and `role` (the key of the column in params.yaml).

    Raises:
        CompactLMError: the column does not exist.
    """
    if column in row:
        return row[column]
    value: object = row
    for step in column.split(".") if isinstance(column, str) else [column]:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, Sequence) and not isinstance(value, str) and str(step).isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            present = ", ".join(repr(name) for name in row) or "none"
            raise CompactLMError(
                f"{place}: the column {column!r} of columns.{role} does not exist (columns here: {present}); use one of these"
            )
    return value


def joined_text(row: Row, columns: Sequence[str | int], separator: str, place: str) -> str:
    """Return the joined texts of several columns, without empty cells and nulls.

    Raises:
        CompactLMError: a column is missing or does not hold text.
    """
    parts = []
    for column in columns:
        value = cell_at(row, column, place, "text")
        if value is not None and not isinstance(value, str):
            raise CompactLMError(f"{place}: the text column {column!r} holds {shown(value)}, which is not text; correct columns.text")
        if value:
            parts.append(value)
    return separator.join(parts)


def text_at(row: Row, column: str | int, place: str, role: str) -> str:
    """Return the text of a column, "" for an empty cell; raises CompactLMError if the column is missing or does not hold text."""
    value = cell_at(row, column, place, role)
    if value is not None and not isinstance(value, str):
        raise CompactLMError(f"{place}: the column {column!r} holds {shown(value)}, which is not text; correct columns.{role}")
    return encodable(value or "")


def shown(value: object) -> str:
    """Return a value as messages show it."""
    whole = repr(value)
    return whole if len(whole) <= SHOWN else whole[:SHOWN] + "..."


def parts_of(row: Row, parts: Mapping[str, str], place: str) -> Iterator[tuple[str, Row]]:
    """Split a row into several by `parts`, and yield the place and the cells of each.

    Each column of `parts` is cut where its regular expression matches. The text before the first match and the matches themselves are left
    out.

    Raises:
        CompactLMError: a column is missing, the columns have different numbers of parts, or a regular expression takes too long.
    """
    cut = {
        column: _cut(text_at(row, column, place, setting := f"parts.{column}"), pattern, setting, place)
        for column, pattern in parts.items()
    }
    numbers = {len(found) for found in cut.values()}
    if len(numbers) > 1:
        counted = ", ".join(f"{len(found)} in {column!r}" for column, found in cut.items())
        raise CompactLMError(f"{place}: the columns of columns.parts have different numbers of parts ({counted}); correct the row")
    for number in range(numbers.pop()):
        yield f"{place}, part {number + 1}", {**row, **{column: found[number] for column, found in cut.items()}}


def _cut(text: str, pattern: str, setting: str, place: str) -> list[str]:
    found = BoundedExpression(pattern, f"columns.{setting}").spans(text, place)
    ends = [*(start for start, _ in found), len(text)][1:]
    return [text[start:end].strip() for (_, start), end in zip(found, ends, strict=True)]

"""Which part of a source is taken: nested fields, several columns joined, a maximum of rows or characters, a mixture weight."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from compactlm.artifacts import Document
from compactlm.errors import CompactLMError

SHOWN = 80  # characters of a value, in messages


def cell_at(row: Mapping[str | int, object], column: str | int, place: str, role: str) -> object:
    """Return the cell of a column: by its name, its position, or a path of names and positions such as `answers.0.text`.

    Args:
        row: the cells; those of JSON and Parquet can be mappings and lists.
        column: a column's own name wins over a path with dots.
        place: where the row is, for messages.
        role: what the column is for, as params.yaml calls it, for messages.

    Raises:
        CompactLMError: there is no such column, or the path leads nowhere.
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
                f"{place}: there is no column {column!r} for columns.{role} (columns here: {present}); name one that is there"
            )
    return value


def joined_text(row: Mapping[str | int, object], columns: Sequence[str | int], separator: str, place: str) -> str:
    """Return the texts of some columns, joined; empty ones and nulls are left out.

    Raises:
        CompactLMError: a column is missing, or holds something other than text.
    """
    parts = []
    for column in columns:
        value = cell_at(row, column, place, "text")
        if value is not None and not isinstance(value, str):
            shown = repr(value) if len(repr(value)) <= SHOWN else repr(value)[:SHOWN] + "..."
            raise CompactLMError(f"{place}: the text column {column!r} holds {shown}, which is no text; name another in columns.text")
        if value:
            parts.append(value)
    return separator.join(parts)


def take(documents: Iterable[Document], rows: int | None, characters: int | None) -> Iterator[Document]:
    """Yield the first documents of a stream: at most so many, and none with which there would be more characters in all."""
    seen = 0
    for taken, document in enumerate(documents):
        seen += len(document.text)
        if (rows is not None and taken == rows) or (characters is not None and seen > characters):
            return
        yield document


def times_seen(name: str, weight: float, seed: int, epoch: int) -> int:
    """Return how often a row is seen in an epoch when its source has this mixture weight.

    A weight of 2.3 shows each row twice and three tenths of the rows a third time; which ones, seed, id and epoch draw.
    """
    whole = int(weight)
    digest = hashlib.blake2b(f"{seed} {epoch} {name}".encode(), digest_size=8).digest()
    return whole + (int.from_bytes(digest, "big") / 2**64 < weight - whole)

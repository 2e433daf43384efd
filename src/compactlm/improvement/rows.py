"""Read and write rows of text in files that people and other tools use: jsonl, csv, tsv, Parquet, or one text per line."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from compactlm.errors import CompactLMError, needs
from compactlm.text.formats.lines import read_lines, read_objects
from compactlm.text.unicode import encodable

TABLES = ("csv", "tsv", "parquet")


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a file: its line or row number from 1, its text, and all of its fields."""

    number: int
    text: str
    fields: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows of a file. `skipped` counts rows without a text, and `repeated` counts rows with the text of an earlier row."""

    rows: list[Row]
    skipped: int
    repeated: int

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return [row.text for row in self.rows]


def row_id(text: str) -> str:
    """Return an id of 32 hexadecimal digits that depends only on the text."""
    return hashlib.blake2b(encodable(text).encode(), digest_size=16).hexdigest()


def with_id(fields: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the fields of a row with the id of its text. An id in the file is replaced, because it need not be unique across files."""
    return {"id": row_id(text), **{name: cell for name, cell in fields.items() if name != "id"}}


def read_rows(path: Path, field: str = "text") -> Rows:
    """Read the rows of a file.

    Texts that differ only in case or white space count as the same text. Rows without a text, and broken lines of JSON, are skipped.

    Args:
        path: a .jsonl, .csv, .tsv or .parquet file (or one of them with .gz). Any other file is a text file with one text per line.
        field: the field or column with the text.

    Raises:
        CompactLMError: the file cannot be read, or no row has a text in this field.
    """
    rows, seen, skipped, total = [], set(), 0, 0
    for number, fields in enumerate(read_fields(path), start=1):
        total += 1
        text = fields.get(field)
        if not isinstance(text, str) or not text.strip():
            skipped += 1
            continue
        key = " ".join(text.casefold().split())
        if key not in seen:
            seen.add(key)
            rows.append(Row(number, encodable(text), fields))
    if not rows:
        raise CompactLMError(f"{path} has no row with a text in the field {field!r}; name the field with --field")
    return Rows(rows, skipped, total - skipped - len(rows))


def read_fields(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the fields of each row of a file. A broken line of JSON has no fields. A line of plain text has the field `text`.

    Raises:
        CompactLMError: the file cannot be read.
    """
    form = _form(path)
    if form in TABLES or (form == "jsonl" and path.suffix.lower() == ".gz"):
        with needs("train", f"reading {path.suffix} files"):
            from compactlm.text.formats.tables import stream_rows
        for _, cells in stream_rows(path, str(path), form, header=True, encoding="utf-8", remedy="convert the file"):  # type: ignore[arg-type]
            yield {name: cell for name, cell in cells.items() if isinstance(name, str)}
    elif form == "jsonl":
        yield from (fields for _, fields in read_objects(str(path)))
    else:
        yield from ({"text": line.text} for line in read_lines(str(path)))


def write_fields(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as csv or, with any other file name ending, as jsonl. If this fails, the old file is unchanged.

    Raises:
        CompactLMError: the format of the file is only supported for reading.
    """
    form = _form(path)
    if form not in ("csv", "jsonl") or path.suffix.lower() == ".gz":
        raise CompactLMError(f"{path} cannot be written; pass a path that ends in .jsonl or .csv")
    replace_file(path, lambda file: _write_csv(file, rows) if form == "csv" else file.writelines(map(as_line, rows)))


def as_line(fields: dict[str, Any]) -> str:
    """Return a row as a line of jsonl."""
    return json.dumps(fields, ensure_ascii=False, default=str) + "\n"


def replace_file(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write a UTF-8 file to a temporary path next to its own and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f".{path.name}.unfinished"  # with_name refuses the path "."
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            write(file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_csv(file: TextIO, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    columns = dict.fromkeys(name for row in listed for name in row)
    writer = csv.DictWriter(file, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)


def _form(path: Path) -> str:
    named = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return named.suffix.removeprefix(".").lower()

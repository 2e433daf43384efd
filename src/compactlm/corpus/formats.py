"""Bytes to rows: csv, tsv, jsonl, parquet and txt, each as a mapping from column name or position to value.

A row comes with its place (`line 12`), so that whatever is wrong with it can be found.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.errors import CompactLMError
from compactlm.params import Format

Row = Mapping[str | int, object]
Rows = Iterator[tuple[str, Row]]


def read_rows(content: bytes, where: str, form: Format, *, header: bool, encoding: str) -> Rows:
    """Yield the place and the cells of each row.

    Cells of csv, tsv and parquet are found by position (from 0) too; csv and tsv have names only with a header. A tsv file
    has no quoting: every tab separates. A txt file has one column, `text` or 0, and a row for each line that is not blank.

    Args:
        content: the file's bytes; a gzip file is unpacked.
        where: the file's name for messages.
        form: the format.
        header: whether the first row of csv and tsv names the columns.
        encoding: the encoding of the text formats.

    Raises:
        CompactLMError: the bytes are not what `form` and `encoding` say; the message has the line.
    """
    if content[:2] == b"\x1f\x8b":
        content = _unpack(content, where)
    if form == "parquet":
        return _parquet(content, where)
    text = _decode(content, where, encoding)
    if form == "csv":
        return _table(_csv_lines(text, where), header=header)
    if form == "tsv":
        return _table(((number, line.split("\t")) for number, line in _lines(text)), header=header)
    if form == "jsonl":
        return _jsonl(text, where)
    return ((f"line {number}", {"text": line, 0: line}) for number, line in _lines(text))


def _unpack(content: bytes, where: str) -> bytes:
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CompactLMError(f"{where} is a damaged or truncated gzip file ({error}); make or fetch it anew") from None


def _decode(content: bytes, where: str, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CompactLMError(
            f"{where} is not valid {encoding} at byte {error.start} (line {line}: byte 0x{content[error.start]:02x}); "
            "convert the file or correct its encoding"
        ) from None
    except LookupError:
        raise CompactLMError(f"{where} cannot be read, for {encoding!r} is no known encoding; correct encoding in params.yaml") from None
    return text.removeprefix("\ufeff")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # Not splitlines(), which also splits at characters that may stand inside a cell.
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.removesuffix("\r")
        if stripped.strip():
            yield number, stripped


def _csv_lines(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise CompactLMError(f"{where} is not valid csv at line {reader.line_num} ({error}); correct the file or its format") from None


def _table(lines: Iterator[tuple[int, list[str]]], *, header: bool) -> Rows:
    names = next(lines, (0, []))[1] if header else []
    for number, cells in lines:
        row: dict[str | int, object] = dict(enumerate(cells))
        row.update(zip(names, cells, strict=False))
        yield f"line {number}", row


def _jsonl(text: str, where: str) -> Rows:
    for number, line in _lines(text):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CompactLMError(f"{where} is not valid jsonl at line {number} ({error}); correct the file or its format") from None
        if not isinstance(row, dict):
            raise CompactLMError(f"{where} has no JSON object at line {number}; write one object with named columns a line")
        yield f"line {number}", row


def _parquet(content: bytes, where: str) -> Rows:
    try:
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise CompactLMError(f"{where} cannot be read as parquet ({reason}); make or fetch it anew, or correct its format") from None
    names = table.column_names
    start = 0
    for batch in table.to_batches(max_chunksize=10_000):
        for offset, cells in enumerate(batch.to_pylist()):
            row: dict[str | int, object] = dict(cells)
            row.update((position, cells[name]) for position, name in enumerate(names))
            yield f"row {start + offset}", row
        start += batch.num_rows

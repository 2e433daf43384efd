"""Streams of rows from csv, tsv, jsonl, txt, CoNLL, SQuAD and Parquet files, also compressed with gzip or Zstandard.

Only a few rows are in memory at a time. A SQuAD file is an exception, because it is one JSON object. Each row has its position (`line 12`)
for error messages.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.errors import CompactLMError
from compactlm.params import Format
from compactlm.text.formats import delimited
from compactlm.text.formats.allowance import Allowance
from compactlm.text.formats.conll import conll_rows
from compactlm.text.formats.delimited import check_different, csv_cells, table, tsv_cells
from compactlm.text.formats.lines import parse_object
from compactlm.text.formats.squad import squad_rows

REMEDY = "convert the file or correct encoding in params.yaml"
_BATCH = 1_000
_LINE_END = re.compile(rb"\r\n|\n|\r")

Row = delimited.Row
Rows = Iterator[tuple[str, Row]]


class _Packed(io.RawIOBase):
    """The unpacked bytes of a compressed file. An absurdly large expansion raises CompactLMError."""

    def __init__(self, unpacked: BinaryIO, packed_size: int, where: str) -> None:
        self._unpacked, self._where, self._allowance = unpacked, where, Allowance(packed_size, where)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview[int], /) -> int:  # type: ignore[override]
        try:
            data = self._unpacked.read(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            reason = " ".join(str(error).split())
            raise CompactLMError(f"{self._where} is a damaged or truncated packed file ({reason}); create or download it again") from None
        buffer[: len(data)] = data
        self._allowance.take(len(data))
        return len(data)


@contextlib.contextmanager
def opened(source: Path | bytes, where: str) -> Iterator[io.BufferedReader]:
    """Open a file (or bytes) for reading. gzip and Zstandard are recognised by their first bytes and unpacked on the fly.

    Raises:
        CompactLMError: the file is missing, unreadable, damaged or truncated, or expands too much.
    """
    try:
        raw: Any = io.FileIO(source) if isinstance(source, Path) else io.BytesIO(source)
        with io.BufferedReader(raw) as file:
            magic = file.peek(4)[:4]
            size = source.stat().st_size if isinstance(source, Path) else len(source)
            if magic[:2] == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    yield io.BufferedReader(_Packed(cast(BinaryIO, unpacked), size, where))
            elif magic == b"\x28\xb5\x2f\xfd":
                # The package zstandard does not report a truncated file; Arrow does.
                with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd") as unpacked:
                    yield io.BufferedReader(_Packed(cast(BinaryIO, unpacked), size, where))
            else:
                yield file
    except FileNotFoundError:
        raise CompactLMError(f"the file {where} does not exist; create it or correct path in params.yaml") from None
    except PermissionError:
        raise CompactLMError(f"{where} is not readable; change its permissions") from None


def stream_rows(
    source: Path | bytes, where: str, form: Format, *, header: bool, encoding: str, delimiter: str = ",", remedy: str = REMEDY
) -> Rows:
    """Yield the position and the cells of each row.

    Cells of csv, tsv and parquet have their position (from 0) as a second key. csv and tsv have names only with a header. The cells of csv
    are separated by `delimiter`; for the quotes of tsv, see `tsv_cells`. A txt file has one column (`text` or 0) and a row for each line
    that is not blank. The columns of conll and squad are those of `conll_rows` and `squad_rows`.
    Messages call the file `where`, and `remedy` says how to fix a wrong encoding.

    Raises:
        CompactLMError: the file is not what `form` and `encoding` say; the message has the line.
    """
    if form == "parquet":
        yield from _parquet(source, where)
        return
    with opened(source, where) as binary:
        # csv accepts all kinds of line ends, and keeps those inside a cell.
        lines = _lines(binary, where, encoding, "" if form == "csv" else "\n", remedy)
        if form == "csv":
            yield from table(csv_cells(lines, where, delimiter), where, delimiter, header=header)
        elif form == "tsv":
            yield from table(tsv_cells(_plain(lines), where), where, "\t", header=header)
        elif form == "jsonl":
            yield from _jsonl(lines, where)
        elif form == "conll":
            yield from conll_rows(((number, line.rstrip("\r\n")) for number, line in enumerate(lines, start=1)), where)
        elif form == "squad":
            yield from squad_rows("".join(lines), where)
        else:
            for number, line in _plain(lines):
                yield f"line {number}", {"text": line, 0: line}


def _lines(binary: io.BufferedReader, where: str, encoding: str, ends: str, remedy: str) -> Iterator[str]:
    r"""Yield the lines with their ends: only "\n" if `ends` is "\n", or all kinds if it is ""."""
    number = 0
    try:
        text = io.TextIOWrapper(binary, encoding=encoding, newline=ends)
        while line := text.readline(delimited.LONGEST_LINE + 1):
            number += 1
            if len(line) > delimited.LONGEST_LINE:
                raise CompactLMError(
                    f"{where} has more than {delimited.LONGEST_LINE:,} characters in line {number}; split or remove the line"
                )
            yield line.removeprefix("\ufeff") if number == 1 else line
    except UnicodeDecodeError as error:
        bad = " ".join(f"0x{byte:02x}" for byte in error.object[error.start : error.end])
        at = number + 1 + len(_LINE_END.findall(error.object[: error.start]))
        raise CompactLMError(f"{where} is not valid {encoding} in line {at} (byte {bad}); {remedy}") from None
    except UnicodeError as error:  # UTF-16 without a byte order mark
        raise CompactLMError(f"{where} is not valid {encoding} ({error}); {remedy}") from None
    except LookupError:
        raise CompactLMError(f"{where} cannot be read: the encoding {encoding!r} is unknown; correct encoding in params.yaml") from None


def _plain(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        stripped = line.removesuffix("\n").removesuffix("\r")
        if stripped.strip():
            yield number, stripped


def _jsonl(lines: Iterator[str], where: str) -> Rows:
    for number, line in _plain(lines):
        if line.strip() in ("[", "{") or line.lstrip().startswith("[{"):
            raise CompactLMError(
                f"{where} is a JSON array or has objects over several lines (line {number}); write one JSON object per line, for example "
                "with `jq -c` or pandas' to_json(orient='records', lines=True)"
            )
        try:
            row = cast(Row, parse_object(line))
        except ValueError as error:
            reason = error.__cause__ or error
            raise CompactLMError(
                f"{where} is not valid jsonl at line {number} ({reason}); write one JSON object per line, or correct the format"
            ) from None
        yield f"line {number}", row


def _parquet(source: Path | bytes, where: str) -> Rows:
    start = 0
    try:
        with pq.ParquetFile(source if isinstance(source, Path) else pa.BufferReader(source)) as file:
            names = file.schema_arrow.names
            check_different(names, where)
            for batch in file.iter_batches(batch_size=_BATCH):
                columns = [column.to_pylist() for column in batch.columns]
                for offset, cells in enumerate(zip(*columns, strict=True)):
                    row: dict[str | int, object] = dict(enumerate(cells))
                    row.update(zip(names, cells, strict=True))
                    yield f"row {start + offset}", row
                start += batch.num_rows
    except FileNotFoundError:
        raise CompactLMError(f"the file {where} does not exist; create it or correct path in params.yaml") from None
    except PermissionError:
        raise CompactLMError(f"{where} is not readable; change its permissions") from None
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        OverflowError,
    ) as error:  # Python raises OverflowError for a date that it cannot represent
        reason = " ".join(str(error).split())
        raise CompactLMError(f"{where} cannot be read as parquet ({reason}); create or download it again, or correct its format") from None

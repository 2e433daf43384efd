"""Rows that somebody has asked to remove. Their ids are in a file of configs/sources, and ingest leaves them out. The file has no text."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.errors import CompactLMError
from compactlm.shards.shards import write_working

REMOVED = Path("configs/sources/removed.txt")  # configs/sources is a dependency of ingest
_ID = re.compile(r"[0-9a-f]{32}")


def read_removed(path: Path = REMOVED) -> frozenset[str]:
    """Return the ids of a file with one id per line. Lines that begin with # are comments. A missing file has no ids.

    Raises:
        CompactLMError: a line is not an id.
    """
    if not path.is_file():
        return frozenset()
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    for line in found:
        if not _ID.fullmatch(line):
            raise CompactLMError(f"{path} has the line {line[:40]!r}, which is not an id of 32 hexadecimal digits; correct or delete it")
    return frozenset(found)


def leave_out(shards: Sequence[Path], removed: Set[str]) -> int:
    """Delete the rows with these ids from working shards, and return their number."""
    gone = 0
    for path in shards if removed else ():
        table = pq.read_table(path)
        stays = pc.invert(pc.is_in(table["id"], value_set=pa.array(sorted(removed), pa.string())))
        left = table.filter(stays)
        if len(left) < len(table):
            gone += len(table) - len(left)
            write_working(left, path)
    return gone

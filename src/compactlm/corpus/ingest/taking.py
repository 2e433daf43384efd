"""What becomes of a source's shards once all of it is read: exact repeats are numbered, and a limit leaves the rows that are drawn."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.corpus.ingest.records import row_id
from compactlm.shards.keys import equal_to_another, pack
from compactlm.shards.shards import write_working

_DRAWN_BYTES = 16


def number_repeats(shards: Sequence[Path]) -> None:
    """Give exact repeats, which have come with one id, ids of their own: numbered by label and attributes, whatever their order.

    Rows repeat each other where source, document and text are equal. Of all rows 16 bytes are in memory, and the repeats' labels.
    """
    shared = equal_to_another(pack(name for names in _column(shards, "id") for name in names))
    groups: defaultdict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
    start = 0
    for shard, path in enumerate(shards):
        table = pq.read_table(path)
        places = np.flatnonzero(shared[start : start + len(table)])
        start += len(table)
        columns = [name for name in ("id", "label", "attributes") if name in table.column_names]
        for place, row in zip(places.tolist(), table.select(columns).take(pa.array(places)).to_pylist(), strict=True):
            groups[row["id"]].append((row["label"] or "", repr(row.get("attributes")), shard, place))
    numbers: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for group in groups.values():
        for number, (_, _, shard, place) in enumerate(sorted(group)[1:], start=1):
            numbers[shard][place] = number
    for shard, renumbered in numbers.items():
        _rename(shards[shard], renumbered)


def _rename(path: Path, numbers: dict[int, int]) -> None:
    columns: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    for place, number in numbers.items():
        name, document = columns["id"][place], columns["document"][place]
        own = document == name
        columns["id"][place] = row_id(columns["source"][place], None if own else document, columns["text"][place], number)
        columns["document"][place] = columns["id"][place] if own else document
    write_working(pa.table(columns, pq.read_schema(path)), path)


def take_drawn(shards: Sequence[Path], rows: int | None, characters: int | None, seed: int) -> None:
    """Leave in the shards at most so many rows, and so many characters, drawn by seed and id; whether one is drawn leaves order aside.

    A row is taken while all that are drawn before it are. Of all rows 24 bytes are in memory.
    """
    if rows is None and characters is None:
        return
    halves = np.frombuffer(b"".join(_draws(shards, seed)), dtype=">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    taken = np.ones(len(order), dtype=bool) if rows is None else np.arange(len(order)) < rows
    if characters is not None:
        lengths = np.concatenate([np.zeros(0, dtype=np.int64), *_lengths(shards)])
        taken &= np.cumsum(lengths[order]) <= characters
    stays = np.zeros(len(order), dtype=bool)
    stays[order[taken]] = True
    start = 0
    for path in shards:
        size = pq.read_metadata(path).num_rows
        mask, start = stays[start : start + size], start + size
        if not mask.all():
            write_working(pq.read_table(path).filter(pa.array(mask)), path)


def _draws(shards: Sequence[Path], seed: int) -> Iterator[bytes]:
    for names in _column(shards, "id"):
        yield b"".join(hashlib.blake2b(f"{seed} {name}".encode(), digest_size=_DRAWN_BYTES).digest() for name in names)


def _lengths(shards: Sequence[Path]) -> Iterator[npt.NDArray[np.int64]]:
    for path in shards:
        yield pc.utf8_length(pq.read_table(path, columns=["text"])["text"]).to_numpy().astype(np.int64)


def _column(shards: Sequence[Path], name: str) -> Iterator[list[str]]:
    return (pq.read_table(path, columns=[name])[name].to_pylist() for path in shards)

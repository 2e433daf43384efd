"""Ids of exact repeats: rows of a source with equal document and text get different ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.artifacts import TARGETS
from compactlm.corpus.ingest.records import row_id
from compactlm.shards.keys import equal_to_another, pack
from compactlm.shards.shards import write_working

_TARGETS = tuple(field.name for fields in TARGETS.values() for field in fields)


def number_repeats(shards: Sequence[Path]) -> None:
    """Give each exact repeat its own id. Repeats are numbered by their other columns, so their order does not matter.

    Rows repeat each other if source, document, text and pair are equal. Memory holds 16 bytes per row, and the labels of the repeats.
    """
    shared = equal_to_another(pack(name for path in shards for name in pq.read_table(path, columns=["id"])["id"].to_pylist()))
    groups: defaultdict[str, list[tuple[str, str, str, str, int, int]]] = defaultdict(list)
    start = 0
    for shard, path in enumerate(shards):
        table = pq.read_table(path)
        places = np.flatnonzero(shared[start : start + len(table)])
        start += len(table)
        columns = [name for name in ("id", "label", "attributes", "queries", *_TARGETS) if name in table.column_names]
        for place, row in zip(places.tolist(), table.select(columns).take(pa.array(places)).to_pylist(), strict=True):
            targets = repr([row.get(name) for name in _TARGETS])
            groups[row["id"]].append((row["label"] or "", repr(row.get("attributes")), repr(row.get("queries")), targets, shard, place))
    numbers: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for group in groups.values():
        for number, (*_, shard, place) in enumerate(sorted(group)[1:], start=1):
            numbers[shard][place] = number
    for shard, renumbered in numbers.items():
        _rename(shards[shard], renumbered)


def _rename(path: Path, numbers: dict[int, int]) -> None:
    columns: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    for place, number in numbers.items():
        name, document = columns["id"][place], columns["document"][place]
        own = document == name
        pair = columns["pair"][place] if "pair" in columns else None
        columns["id"][place] = row_id(columns["source"][place], None if own else document, columns["text"][place], number, pair)
        columns["document"][place] = columns["id"][place] if own else document
    write_working(pa.table(columns, pq.read_schema(path)), path)

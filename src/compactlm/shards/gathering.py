"""Split the parts of an artifact into working shards, and gather working shards into the parts of an artifact.

Rows are sorted by id and divided into ranges of ids. Ids are hashes, so ranges of equal width have about equally many rows. The range of a
row does not depend on the other rows or on the division into working shards. At most three tables are in memory at a time: one that is read
and two that are written.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm import artifacts
from compactlm.artifacts import DOCUMENT_SCHEMA, Document
from compactlm.shards.reports import Counts, add_counts
from compactlm.shards.shards import batches_of, write_working

Result = TypeVar("Result")
_ID_BITS = 128
_BATCH = 10_000
_THREADS = 2  # the threads that read, and as many that write; each holds a table in memory
_ROW_BYTES = 100  # added for each row, so that a file of tiny lines does not become a shard of millions of rows
MEGABYTE = 1_000_000
PART_BYTES = 128_000_000  # the average size of a part of an artifact is at most this


def write_shards(documents: Iterable[Document], directory: Path, shard_bytes: int, schema: pa.Schema = DOCUMENT_SCHEMA) -> int:
    """Write a stream of documents to working shards of about `shard_bytes` of text, each sorted by id, and return their number."""
    directory.mkdir(parents=True, exist_ok=True)
    shards = 0
    for rows in _batches(documents, shard_bytes):
        rows.sort(key=lambda document: document.id)
        cells = [{name: getattr(document, name) for name in schema.names} for document in rows]
        write_working(pa.Table.from_pylist(cells, schema), directory / f"part-{shards:05d}.parquet")
        shards += 1
    return shards


def _batches(documents: Iterable[Document], shard_bytes: int) -> Iterator[list[Document]]:
    rows: list[Document] = []
    size = 0
    for document in documents:
        rows.append(document)
        size += len(document.text.encode()) + _ROW_BYTES
        if size >= shard_bytes:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def cut(parts: Sequence[Path], directory: Path, shard_bytes: int) -> list[Path]:
    """Cut the parts of an artifact by ranges of ids into working shards of at most about `shard_bytes` of text.

    A changed row changes only the shard of its range.
    """
    shards = _power_of_two(text_bytes(parts), shard_bytes)
    directory.mkdir(parents=True, exist_ok=True)
    ends = [f"{(shard + 1) * (2**_ID_BITS // shards):032x}" for shard in range(shards - 1)]
    written = []
    schema = pq.read_schema(parts[0])
    with _writing() as write:
        for shard, batches in enumerate(_ranges(parts, ends)):
            written.append(directory / f"part-{shard:05d}.parquet")
            write(write_working, pa.Table.from_batches(batches, schema), written[-1])
    _check_rows(parts, written)
    for stray in set(directory.iterdir()) - set(written):
        stray.unlink()
    return written


@contextlib.contextmanager
def _writing() -> Iterator[Callable[[Callable[[pa.Table, Path], None], pa.Table, Path], None]]:
    """Yield a function that writes a table in a thread while the next one is read. At most three tables are in memory."""
    with ThreadPoolExecutor(_THREADS) as threads:
        pending: deque[Future[None]] = deque()

        def write(function: Callable[[pa.Table, Path], None], table: pa.Table, path: Path) -> None:
            if len(pending) == _THREADS:
                pending.popleft().result()
            pending.append(threads.submit(function, table, path))

        yield write
        for future in pending:
            future.result()


def _write_part(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", row_group_size=10_000)


def _ranges(parts: Sequence[Path], ends: Sequence[str]) -> Iterator[list[pa.RecordBatch]]:
    """Yield the rows of each range. `ends` holds the first id after each range except the last, which is open."""
    waiting: list[pa.RecordBatch] = []
    passed = 0
    for path in parts:
        for batch in batches_of(path, _BATCH):
            names, start = batch.column("id").to_pylist(), 0
            while passed < len(ends) and names and names[-1] >= ends[passed]:
                stop = bisect.bisect_left(names, ends[passed])
                yield [*waiting, batch.slice(start, stop - start)]
                waiting, start, passed = [], stop, passed + 1
            waiting.append(batch.slice(start))
    yield waiting
    yield from ([] for _ in ends[passed:])


def text_bytes(shards: Iterable[Path]) -> int:
    """Return the bytes of all texts in UTF-8, read batch by batch."""
    return sum(_of_each(shards, _text_bytes))


def _text_bytes(shard: Path) -> int:
    return sum(pc.sum(pc.binary_length(batch["text"])).as_py() or 0 for batch in batches_of(shard, _BATCH, ["text"]))


def _of_each(shards: Iterable[Path], function: Callable[[Path], Result]) -> list[Result]:
    """Call a function for each shard in threads (Arrow reads without the GIL), and return the results."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(function, shards))


def _power_of_two(total: int, most: int) -> int:
    parts = 1
    while total > parts * most:
        parts *= 2
    return parts


def gather(shards: Sequence[Path], directory: Path) -> int:
    """Write the rows of working shards to the parts of an artifact in `directory`, and return the number of parts.

    The number of parts is the smallest power of two for which the average part has at most artifacts.ROWS_PER_SHARD rows and PART_BYTES of
    text. A single part has the same bytes as the result of artifacts.write_documents.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    with _writing() as write:
        for part, table in enumerate(sorted_tables(shards)):
            written.append(directory / f"part-{part:05d}.parquet")
            write(_write_part, table, written[-1])
    _check_rows(shards, written)
    return len(written)


def _check_rows(before: Iterable[Path], after: Iterable[Path]) -> None:
    come, gone = (sum(pq.read_metadata(path).num_rows for path in paths) for paths in (before, after))
    if come != gone:
        raise RuntimeError(f"{come} rows came in but {gone} went out")


def sorted_tables(shards: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield all rows sorted by id, one table for each part of an artifact."""
    rows = sum(pq.read_metadata(shard).num_rows for shard in shards)
    parts = max(_power_of_two(rows, artifacts.ROWS_PER_SHARD), _power_of_two(text_bytes(shards), PART_BYTES))
    schema = pq.read_schema(shards[0])
    for part in range(parts):
        found = [_rows_between(shard, part, parts) for shard in sorted(shards)]
        table = pa.concat_tables([schema.empty_table(), *(table for table in found if len(table))])
        names = table["id"].combine_chunks()
        in_order = len(names) < 2 or pc.all(pc.less_equal(names[:-1], names[1:])).as_py()  # true for shards that are ranges of ids
        yield (table if in_order else table.take(pc.sort_indices(table, [("id", "ascending")]))).combine_chunks()


def _rows_between(shard: Path, part: int, parts: int) -> pa.Table:
    """Return the rows of range number `part` of `parts` equal ranges of ids. Only row groups that may have such rows are read."""
    width = 2**_ID_BITS // parts
    first, end = f"{part * width:032x}", None if part + 1 == parts else f"{(part + 1) * width:032x}"
    # The filters of pq.read_table would build a data set for each of parts times shards reads.
    with pq.ParquetFile(shard) as file:
        column = file.schema_arrow.get_field_index("id")
        known = (file.metadata.row_group(group).column(column).statistics for group in range(file.num_row_groups))
        table = file.read_row_groups([group for group, bounds in enumerate(known) if _may_hold(bounds, first, end)])
    within = pc.greater_equal(table["id"], first)
    return table.filter(within if end is None else pc.and_(within, pc.less(table["id"], end)))


def _may_hold(bounds: pq.Statistics | None, first: str, end: str | None) -> bool:
    if bounds is None or not bounds.has_min_max:  # this group has no rows
        return True
    return bool(bounds.max >= first and (end is None or bounds.min < end))


def count_by_source(shards: Iterable[Path], characters: bool = True) -> Counts:
    """Return the number of rows and (optionally) of characters of each source."""
    return add_counts(_of_each(shards, functools.partial(_count, characters=characters)))


def count_queries(shards: Iterable[Path]) -> Counts:
    """Return the number of queries of each source as `kept`; empty if the shards have no such column."""
    return add_counts(_of_each(shards, _count_queries))


def _count_queries(shard: Path) -> Counts:
    if "queries" not in pq.read_schema(shard).names:
        return {}
    table = pq.read_table(shard, columns=["source", "queries"])
    sizes = pa.table({"source": table["source"], "kept": pc.list_value_length(table["queries"])})
    return {row["source"]: {"kept": row["kept_sum"]} for row in sizes.group_by("source").aggregate([("kept", "sum")]).to_pylist()}


def _count(shard: Path, characters: bool) -> Counts:
    found = []
    for batch in batches_of(shard, _BATCH, ["source", "text"] if characters else ["source"]):
        sizes = pa.table({"source": batch["source"], "rows": np.ones(len(batch), np.int64)})
        if characters:
            sizes = sizes.append_column("characters", pc.utf8_length(batch["text"]))
        units = sizes.column_names[1:]
        sums = sizes.group_by("source").aggregate([(unit, "sum") for unit in units]).to_pylist()
        found.append({row["source"]: {unit: row[f"{unit}_sum"] for unit in units} for row in sums})
    return add_counts(found)

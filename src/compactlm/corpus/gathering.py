"""From working shards of any size to the parts of an artifact: rows sorted by id, cut by ranges of ids.

Ids are hashes, so ranges of equal width hold about equally many rows, and where a row ends up does not depend on how the working
shards were cut. At most one part's rows are in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm import artifacts
from compactlm.artifacts import DOCUMENT_SCHEMA, Document
from compactlm.corpus.shards import ROW_GROUP

_ID_BITS = 128


def write_shards(documents: Iterable[Document], directory: Path, shard_bytes: int) -> int:
    """Write a stream of documents to working shards of about `shard_bytes` of text, each sorted by id; return their number."""
    directory.mkdir(parents=True, exist_ok=True)
    shards = 0
    for rows in _batches(documents, shard_bytes):
        rows.sort(key=lambda document: document.id)
        cells = [{name: getattr(document, name) for name in DOCUMENT_SCHEMA.names} for document in rows]
        with artifacts.replacing(directory / f"part-{shards:05d}.parquet") as unfinished:
            pq.write_table(pa.Table.from_pylist(cells, DOCUMENT_SCHEMA), unfinished, compression="zstd", row_group_size=ROW_GROUP)
        shards += 1
    return shards


def _batches(documents: Iterable[Document], shard_bytes: int) -> Iterator[list[Document]]:
    rows: list[Document] = []
    size = 0
    for document in documents:
        rows.append(document)
        size += len(document.text.encode())
        if size >= shard_bytes:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def gather(shards: Sequence[Path], directory: Path) -> int:
    """Write the rows of working shards to the parts of an artifact in `directory`, and return the number of parts.

    The parts are a power of two, so that of as many rows each has at most artifacts.ROWS_PER_SHARD on average; up to that many
    rows are one part, with the bytes of artifacts.write_documents.
    """
    total = sum(pq.read_metadata(shard).num_rows for shard in shards)
    parts = 1
    while total > parts * artifacts.ROWS_PER_SHARD:
        parts *= 2
    directory.mkdir(parents=True, exist_ok=True)
    for part in range(parts):
        table = pa.concat_tables([DOCUMENT_SCHEMA.empty_table(), *(_rows_between(shard, part, parts) for shard in sorted(shards))])
        table = table.take(pc.sort_indices(table, [("id", "ascending")])).combine_chunks()
        pq.write_table(table, directory / f"part-{part:05d}.parquet", compression="zstd", row_group_size=10_000)
    return parts


def _rows_between(shard: Path, part: int, parts: int) -> pa.Table:
    width = 2**_ID_BITS // parts
    bounds = [("id", ">=", f"{part * width:032x}")] if part else []
    bounds += [("id", "<", f"{(part + 1) * width:032x}")] if part + 1 < parts else []
    return pq.read_table(shard, filters=bounds or None)

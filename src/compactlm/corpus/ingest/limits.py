"""Limit the rows or characters of a source. They are drawn from the whole source, or taken from the start of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.artifacts import Document
from compactlm.draws import draw_column
from compactlm.params import Limit, Source
from compactlm.shards.shards import write_working


def take(documents: Iterable[Document], rows: int | None, characters: int | None) -> Iterator[Document]:
    """Yield documents from the start of a stream until the next one would exceed the maximum of rows or characters."""
    seen = 0
    for taken, document in enumerate(documents):
        seen += len(document.text)
        if (rows is not None and taken == rows) or (characters is not None and seen > characters):
            return
        yield document


def take_drawn(shards: Sequence[Path], rows: int | None, characters: int | None, seed: int) -> None:
    """Keep at most `rows` rows and `characters` characters in the shards, and remove the other rows.

    Rows are drawn in a random order (by seed and id) until the next one would exceed a maximum. The result does not depend on the order of
    the rows. Memory holds 24 bytes per row.
    """
    if rows is None and characters is None:
        return
    drawn = [draw_column(pq.read_table(path, columns=["id"])["id"].to_pylist(), "ingest", seed) for path in shards]
    order = np.argsort(np.concatenate([np.zeros(0, dtype=np.uint64), *drawn]), kind="stable")
    taken = np.ones(len(order), dtype=bool) if rows is None else np.arange(len(order)) < rows
    if characters is not None:
        lengths = [pc.utf8_length(pq.read_table(path, columns=["text"])["text"]).to_numpy().astype(np.int64) for path in shards]
        taken &= np.cumsum(np.concatenate([np.zeros(0, dtype=np.int64), *lengths])[order]) <= characters
    stays = np.zeros(len(order), dtype=bool)
    stays[order[taken]] = True
    start = 0
    for path in shards:
        size = pq.read_metadata(path).num_rows
        mask, start = stays[start : start + size], start + size
        if not mask.all():
            write_working(pq.read_table(path).filter(pa.array(mask)), path)


def limits_of(source: Source) -> tuple[int | None, int | None]:
    """Return the greatest number of rows and of characters of a source; None sets no limit."""
    return (source.limit.rows, source.limit.characters) if isinstance(source.limit, Limit) else (source.limit, None)

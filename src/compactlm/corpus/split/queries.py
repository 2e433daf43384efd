"""Keep queries from leaking between splits: no query of train or validation may be a query or a text of a split held out from it.

All queries and the texts of all rows are compared with each other in the same way as `split` compares texts: by their letters and digits,
and by the settings of near-duplicates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.artifacts import DOCUMENT_SCHEMA, QUERIES, SPLITS, derived_id
from compactlm.corpus.duplicates.placing import Homes, duplicate_key
from compactlm.corpus.duplicates.signatures import SignatureShards, SignShard
from compactlm.corpus.split.document_groups import group, protect_placed
from compactlm.corpus.split.rows import Integers
from compactlm.params import Split
from compactlm.shards.engine import Engine, apply
from compactlm.shards.keys import as_keys, hash_key, number_keys
from compactlm.shards.shards import write_working

Counted = dict[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class QueryLeakage:
    """How many queries each split keeps, and how many were removed because an earlier split has the same or a similar one.

    `rows` is the number of rows that were left out because they are similar to a query of another split.
    """

    kept: Counted
    removed: Counted
    rows: Counted

    def to_json(self) -> dict[str, Counted]:
        """Return the counts by split."""
        return {"count": self.kept, "removed": self.removed, "rows_left_out": self.rows}


def keep_out(
    shards: Sequence[Path],
    signed: Sequence[Path],
    homes: Homes,
    templates: npt.NDArray[np.bool_],
    work: Path,
    split: Split,
    seed: int,
    engine: Engine,
) -> tuple[list[Path], Homes, QueryLeakage | None]:
    """Remove the queries that would leak from test into validation or train, or from validation into train.

    A query is removed if it equals a text or query of a split with priority (test first, then validation). It is also removed if it is a
    near-duplicate of one, unless `across_splits` is `report`. With `leave_out`, rows whose text is similar to a query of a split with
    priority are left out, too.

    `signed` has the signatures of the shards' texts (empty if near-duplicates are not searched), and `homes` the split of each row (-1 for
    a left-out row). The rows in `templates` are never left out. Working shards are written to `work`.

    Returns:
        The shards with the remaining queries, the new splits of the rows, and the counts. Shards without a column of queries are returned
        unchanged, with None for the counts.
    """
    if QUERIES.name not in pq.read_schema(shards[0]).names:
        return list(shards), homes, None
    asked = _write_queries(shards, work / "in")
    owners = np.repeat(np.arange(len(homes)), _concatenated(_counts(shards)))
    everything = np.concatenate([homes, homes[owners]])
    numbers = number_keys(as_keys(b"".join(hash_key(duplicate_key(text)) for path in [*shards, *asked] for text in _texts(path))))
    if split.near_duplicates is not None and split.across_splits != "report":
        signed_queries, _ = apply(asked, work / "signatures", engine, SignShard(split.near_duplicates, seed))
        engine.rest()
        near = SignatureShards([*signed, *signed_queries]).clusters(split.near_duplicates)
        numbers = group([numbers, near])
    left = protect_placed(everything, numbers)
    rows, queries = left[: len(homes)], left[len(homes) :]
    new = np.where(templates, homes, rows) if split.across_splits == "leave_out" else homes
    stays = (queries >= 0) & (new[owners] >= 0)
    written = _write_left(shards, stays, work / "out")
    counts = QueryLeakage(
        kept=_count(queries[stays]),
        removed=_count(everything[len(homes) :][(queries < 0) & (homes[owners] >= 0)]),
        rows=_count(homes[(homes >= 0) & (new < 0)]),
    )
    return written, new, counts


def _count(homes: Homes) -> Counted:
    return dict(zip(SPLITS, np.bincount(homes, minlength=len(SPLITS)).tolist(), strict=True))


def _texts(path: Path) -> list[str]:
    return list(pq.read_table(path, columns=["text"])["text"].to_pylist())


def _counts(shards: Sequence[Path]) -> Iterator[Integers]:
    for path in shards:
        yield pc.list_value_length(pq.read_table(path, columns=[QUERIES.name])[QUERIES.name]).to_numpy().astype(np.int64)


def _concatenated(parts: Iterator[Integers]) -> Integers:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _write_queries(shards: Sequence[Path], directory: Path) -> list[Path]:
    """Write the queries of each shard as documents to a shard of the same name, in the order of their rows."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for path in shards:
        rows = pq.read_table(path, columns=["id", "source", QUERIES.name]).to_pylist()
        cells = [
            {"id": derived_id(row["id"], QUERIES.name, number), "source": row["source"], "text": query, "document": row["id"]}
            for row in rows
            for number, query in enumerate(row[QUERIES.name])
        ]
        written.append(directory / path.name)
        write_working(pa.Table.from_pylist(cells, DOCUMENT_SCHEMA), written[-1])
    for stray in set(directory.iterdir()) - set(written):
        stray.unlink()
    return written


def _write_left(shards: Sequence[Path], stays: npt.NDArray[np.bool_], directory: Path) -> list[Path]:
    """Write each shard with its remaining queries to a shard of the same name."""
    directory.mkdir(parents=True, exist_ok=True)
    written, start = [], 0
    for path in shards:
        table = pq.read_table(path)
        queries = []
        for before in table[QUERIES.name].to_pylist():
            queries.append([query for query, stay in zip(before, stays[start : start + len(before)], strict=True) if stay])
            start += len(before)
        place = table.schema.get_field_index(QUERIES.name)
        written.append(directory / path.name)
        write_working(table.set_column(place, QUERIES, pa.array(queries, QUERIES.type)), written[-1])
    for stray in set(directory.iterdir()) - set(written):
        stray.unlink()
    return written

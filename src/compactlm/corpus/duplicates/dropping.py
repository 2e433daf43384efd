"""Removal of duplicates across shards: each row gets a key, rows with equal keys are judged, and each shard drops its rows."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.artifacts import QUERIES, Document, file_sha256
from compactlm.corpus.duplicates.judgements import Judgement
from compactlm.corpus.duplicates.placing import HOME, Placing
from compactlm.corpus.duplicates.signatures import SignatureShards, SignShard
from compactlm.corpus.duplicates.wholes import target_columns, target_of, whole_texts
from compactlm.corpus.duplicates.winners import DUPLICATE, NEAR_DUPLICATE, judge_equals, judge_near
from compactlm.params import NearDuplicates, Split
from compactlm.shards.engine import Engine, apply
from compactlm.shards.keys import KEY, KEY_BYTES, Keys, as_keys, equal_to_another, first_of_equals, hash_key
from compactlm.shards.reports import DropCounter, Report
from compactlm.shards.shards import Manifest, ShardStep

_BATCH = 10_000
_JUDGED_BY = ("id", "source", "task", "label")


@dataclasses.dataclass(frozen=True, slots=True)
class AddKeys(ShardStep):
    """Applies a function to a shard of documents and adds a key to each row. Texts (or pairs) that differ only in case have equal keys."""

    function: ShardStep

    def parameters(self) -> dict[str, object]:
        """Return everything that the result depends on, as JSON values."""
        return {"function": type(self.function).__name__, "of": self.function.parameters(), "key_bytes": KEY_BYTES}

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the function's result with keys added, and its report."""
        rows, report = self.function(table)
        keys = [hash_key(text.casefold()) for text in whole_texts(rows)]
        return rows.append_column(KEY, pa.array(keys, KEY.type)), report


@dataclasses.dataclass(frozen=True, slots=True)
class DropShard(ShardStep):
    """Drops the rows that have a reason in the Parquet file `judged`. Other rows of that file get new queries. `sha256` is its hash.

    For each source and reason, `samples` dropped rows are drawn by the seed and shown.
    """

    judged: Path
    sha256: str
    seed: int
    samples: int

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the kept rows, without keys, and a report of the dropped rows."""
        if KEY.name in table.column_names:
            table = table.drop_columns(KEY.name)
        range_of_ids = pc.min_max(table["id"])  # small, because shards are ranges of ids (except shards of sentences)
        within = (pc.field("id") >= range_of_ids["min"]) & (pc.field("id") <= range_of_ids["max"])
        judged = pq.read_table(self.judged, filters=within)
        table = _with_queries(table, judged.filter(pc.is_null(judged["reason"])))
        judged = judged.filter(pc.is_valid(judged["reason"]))
        places = pc.index_in(table["id"], value_set=judged["id"].combine_chunks())
        stays = pc.is_null(places)
        gone = table.select(("id", "source", "text")).filter(pc.invert(stays)).to_pylist()
        reasons = judged["reason"].take(places.drop_null()).to_pylist()
        dropped = DropCounter(self.seed, self.samples)
        for row, reason in zip(gone, reasons, strict=True):
            dropped.add(row["source"], reason, row["id"], row["text"])
        return table.filter(stays), dropped.report()


def _with_queries(table: pa.Table, heirs: pa.Table) -> pa.Table:
    if not len(heirs):
        return table
    new = dict(zip(heirs["id"].to_pylist(), heirs["queries"].to_pylist(), strict=True))
    queries = [new.get(*row) for row in zip(table["id"].to_pylist(), table["queries"].to_pylist(), strict=True)]
    return table.set_column(table.schema.get_field_index("queries"), QUERIES, pa.array(queries, QUERIES.type))


def write_judgement(judgement: Judgement, path: Path, seed: int, samples: int) -> DropShard:
    """Write a judgement to a file, and return the function that applies it."""
    judgement.write(path)
    return DropShard(path.resolve(), file_sha256(path), seed, samples)


def judge_duplicates(keyed: Sequence[Path], placing: Placing) -> Judgement:
    """Return the judgement of exact duplicates, from shards that AddKeys made.

    Memory holds the keys of all rows, 16 bytes each, and a few columns of the rows that share a key.
    """
    parts = [_keys(pq.read_table(path, columns=[KEY.name])) for path in keyed]
    shared = equal_to_another(np.concatenate(parts))
    tables, start = [], 0
    for path, part in zip(keyed, parts, strict=True):
        wanted = np.flatnonzero(shared[start : start + len(part)])
        tables.append(placing(pq.read_table(path, columns=[*_judged_by(path, placing), KEY.name]).take(pa.array(wanted))))
        start += len(part)
    table = pa.concat_tables(tables).sort_by([(KEY.name, "ascending"), (HOME.name, "descending"), ("id", "ascending")])
    first = first_of_equals(_keys(table))
    groups = np.cumsum(first) - 1
    labelled = np.bincount(groups, weights=table["task"].is_valid().to_numpy()) > 0
    # Most groups have no label. In these the first row stays, so their rows need not be judged one by one.
    judged = Judgement(dict.fromkeys(table["id"].filter(pa.array(~first & ~labelled[groups])).to_pylist(), DUPLICATE))
    for rows in _groups(table.filter(pa.array(labelled[groups]))):
        judged.reasons.update((document.id, reason) for document, reason in judge_equals(*_documents(rows)))
    if QUERIES.name in table.column_names:
        asked = np.bincount(groups, weights=pc.list_value_length(table[QUERIES.name]).to_numpy()) > 0
        for rows in _groups(table.filter(pa.array(asked[groups]))):
            judged.inherit(rows)
    return judged


def _groups(table: pa.Table) -> Iterator[list[dict[str, Any]]]:
    rows = (row for batch in table.to_batches(_BATCH) for row in batch.to_pylist())  # only a few Python objects at a time
    for _, rows_of_one in itertools.groupby(rows, operator.itemgetter(KEY.name)):
        yield list(rows_of_one)


def _judged_by(shard: Path, placing: Placing) -> list[str]:
    names = pq.read_schema(shard).names
    of_pairs = ["pair"] if placing.columns and "pair" in names else []
    optional = [name for name in (QUERIES.name,) if name in names]
    return [*dict.fromkeys([*_JUDGED_BY, *placing.columns]), *of_pairs, *target_columns(names), *optional]


def _keys(table: pa.Table) -> Keys:
    chunks = (chunk for chunk in table[KEY.name].chunks if len(chunk))
    return as_keys(b"".join(chunk.buffers()[1][KEY_BYTES * chunk.offset : KEY_BYTES * (chunk.offset + len(chunk))] for chunk in chunks))


def _documents(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Document], dict[str, int]]:
    """Return the rows as documents without text, with their targets as labels, and their splits by id."""
    documents = [Document(row["id"], row["source"], "", row["id"], task=row["task"], label=target_of(row)) for row in rows]
    return documents, {row["id"]: row[HOME.name] for row in rows}


def judge_near_duplicates(signed: Sequence[Path], rows: Sequence[Path], settings: NearDuplicates, placing: Placing) -> Judgement:
    """Return the judgement of near-duplicates, from the shards that SignShard made (`signed`) and the shards of the rows."""
    clusters = SignatureShards(signed).clusters(settings)
    several = np.bincount(clusters, minlength=len(clusters))[clusters] > 1
    members: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    start = 0
    for path in rows:
        table = pq.read_table(path, columns=_judged_by(path, placing))
        wanted = np.flatnonzero(several[start : start + len(table)])
        for cluster, row in zip(clusters[start + wanted].tolist(), placing(table.take(pa.array(wanted))).to_pylist(), strict=True):
            members[cluster].append(row)
        start += len(table)
    judged = Judgement()
    for group in members.values():
        judged.reasons.update((document.id, NEAR_DUPLICATE) for document in judge_near(*_documents(group)))
        if QUERIES.name in group[0]:
            judged.inherit(group)
    return judged


def deduplicate(
    shards: Sequence[Path],
    work: Path,
    engine: Engine,
    near_duplicates: NearDuplicates | None,
    seed: int,
    samples: int,
    split: Split | None = None,
) -> tuple[list[Path], list[Manifest]]:
    """Drop exact duplicates across all shards, and then near-duplicates unless `near_duplicates` is None.

    The shards come from AddKeys, and the ids of all rows must differ. Finished shards in `work` are reused. Among duplicates, the row that
    a stable `split` holds out is kept, so a text does not change its split when a copy is added. The seed draws the splits, the
    permutations of MinHash and the `samples` dropped rows that are shown for each source and reason. The manifests of both steps count the
    dropped rows.
    """
    placing = Placing(split, seed)
    drop = write_judgement(judge_duplicates(shards, placing), work / "duplicates.parquet", seed, samples)
    unique, manifests = apply(shards, work / "unique", engine, drop)
    if near_duplicates is None:
        return unique, manifests
    signed, _ = apply(unique, work / "signatures", engine, SignShard(near_duplicates, seed, whole=True))
    engine.rest()
    judged = judge_near_duplicates(signed, unique, near_duplicates, placing)
    drop = write_judgement(judged, work / "near_duplicates.parquet", seed, samples)
    different, more = apply(unique, work / "different", engine, drop)
    return different, [*manifests, *more]

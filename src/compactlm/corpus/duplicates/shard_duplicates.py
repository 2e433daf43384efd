"""Duplicates of a corpus in shards: a key a row, a judgement over those rows alone that share one, and the rows dropped a shard."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.artifacts import Document, replacing
from compactlm.corpus.clean.samples import Samples, drawn, smallest_samples
from compactlm.corpus.duplicates.deduplication import DUPLICATE, judge
from compactlm.corpus.duplicates.near_duplicates import NEAR_DUPLICATE, drop_near_duplicates
from compactlm.corpus.duplicates.shard_signatures import SignatureShards, SignShard
from compactlm.params import NearDuplicates
from compactlm.shards.engine import Engine, Parametrised, apply
from compactlm.shards.keys import KEY, KEY_BYTES, Keys, as_keys, equal_to_another, first_of_equals
from compactlm.shards.shards import ROW_GROUP, Counts, Manifest, Report, add_counts

_BATCH = 10_000
_JUDGED_BY = ("id", "source", "task", "label")
Judgement = dict[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Keyed:
    """Adds to what a function makes of a shard the key of each row, equal for texts that differ at most in case.

    Attributes:
        function: of shards of documents.
    """

    function: Parametrised

    def parameters(self) -> dict[str, object]:
        """Return all that the result depends on, as what JSON can hold."""
        return {"function": type(self.function).__name__, "of": self.function.parameters(), "key_bytes": KEY_BYTES}

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return what the function makes of the shard, with keys, and its report."""
        rows, report = self.function(table)
        keys = [hashlib.blake2b(text.casefold().encode(), digest_size=KEY_BYTES).digest() for text in rows["text"].to_pylist()]
        return rows.append_column(KEY, pa.array(keys, KEY.type)), report


@dataclasses.dataclass(frozen=True, slots=True)
class DropShard:
    """Drops the rows of a shard that have been judged.

    Attributes:
        judged: a Parquet file with the ids to drop, and the reasons.
        sha256: of that file.
        seed: draws the dropped rows that are shown.
        samples: how many are shown for each source and reason.
    """

    judged: Path
    sha256: str
    seed: int
    samples: int

    def parameters(self) -> dict[str, object]:
        """Return all that the result depends on, as what JSON can hold."""
        return {"judged": self.sha256, "seed": self.seed, "samples": self.samples}

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return the rows that stay, without their keys, and count the others by source and reason."""
        if KEY.name in table.column_names:
            table = table.drop_columns(KEY.name)
        range_of_ids = pc.min_max(table["id"])  # small where shards are cut by id, as they are but for sentences
        within = (pc.field("id") >= range_of_ids["min"]) & (pc.field("id") <= range_of_ids["max"])
        judged = pq.read_table(self.judged, filters=within)
        places = pc.index_in(table["id"], value_set=judged["id"].combine_chunks())
        stays = pc.is_null(places)
        gone = table.select(("id", "source", "text")).filter(pc.invert(stays)).to_pylist()
        reasons = judged["reason"].take(places.drop_null()).to_pylist()
        dropped: Counts = {}
        samples: Samples = {}
        for row, reason in zip(gone, reasons, strict=True):
            counts = dropped.setdefault(row["source"], {})
            counts[reason] = counts.get(reason, 0) + 1
            samples.setdefault(f"{row['source']} {reason}", []).append(drawn(self.seed, row["id"], row["text"]))
        return table.filter(stays), Report(add_counts([dropped]), samples=smallest_samples([samples], self.samples))


def write_judgement(judgement: Judgement, path: Path, seed: int, samples: int) -> DropShard:
    """Write which rows are dropped, and return the function that drops them and shows some."""
    rows = sorted(judgement.items())
    columns = {"id": [name for name, _ in rows], "reason": [reason for _, reason in rows]}
    with replacing(path) as unfinished:
        table = pa.table(columns, pa.schema([("id", pa.string()), ("reason", pa.string())]))
        pq.write_table(table, unfinished, compression="zstd", row_group_size=ROW_GROUP)
    return DropShard(path.resolve(), hashlib.sha256(path.read_bytes()).hexdigest(), seed, samples)


def judge_duplicates(keyed: Sequence[Path]) -> Judgement:
    """Return which rows are dropped as exact duplicates, with the reason, from shards that Keyed made.

    The keys of all rows are in memory, 16 bytes each, and of the rows that share one what they are judged by.
    """
    parts = [_keys(pq.read_table(path, columns=[KEY.name])) for path in keyed]
    shared = equal_to_another(np.concatenate(parts))
    tables, start = [], 0
    for path, part in zip(keyed, parts, strict=True):
        wanted = np.flatnonzero(shared[start : start + len(part)])
        tables.append(pq.read_table(path, columns=[*_JUDGED_BY, KEY.name]).take(pa.array(wanted)))
        start += len(part)
    table = pa.concat_tables(tables).sort_by([(KEY.name, "ascending"), ("id", "ascending")])
    first = first_of_equals(_keys(table))
    groups = np.cumsum(first) - 1
    labelled = np.bincount(groups, weights=table["task"].is_valid().to_numpy()) > 0
    # Most groups have no label, and of these it is known without a look at each row: the smallest id stays.
    judged = dict.fromkeys(table["id"].filter(pa.array(~first & ~labelled[groups])).to_pylist(), DUPLICATE)
    others = table.filter(pa.array(labelled[groups]))
    rows = (row for batch in others.to_batches(_BATCH) for row in batch.to_pylist())  # as objects of Python a few at a time
    for _, rows_of_one in itertools.groupby(rows, operator.itemgetter(KEY.name)):
        judged.update((document.id, reason) for document, reason in judge([_document(row) for row in rows_of_one]))
    return judged


def _keys(table: pa.Table) -> Keys:
    chunks = (chunk for chunk in table[KEY.name].chunks if len(chunk))
    return as_keys(b"".join(chunk.buffers()[1][KEY_BYTES * chunk.offset : KEY_BYTES * (chunk.offset + len(chunk))] for chunk in chunks))


def _document(row: Mapping[str, str]) -> Document:
    known = {name: row[name] for name in _JUDGED_BY}
    return Document(text="", document=row["id"], **known)  # type: ignore[arg-type] # only text columns are among these


def judge_near_duplicates(signed: Sequence[Path], rows: Sequence[Path], settings: NearDuplicates) -> Judgement:
    """Return which rows are dropped as near-duplicates, from the shards that SignShard made and those of the rows themselves."""
    clusters = SignatureShards(signed).clusters(settings)
    sizes = np.bincount(clusters, minlength=len(clusters))
    several = sizes[clusters] > 1
    documents: list[Document] = []
    start = 0
    for path in rows:
        table = pq.read_table(path, columns=list(_JUDGED_BY))
        wanted = np.flatnonzero(several[start : start + len(table)])
        documents += [_document(row) for row in table.take(pa.array(wanted)).to_pylist()]
        start += len(table)
    kept = {document.id for document in drop_near_duplicates(documents, clusters[several].tolist(), Counter())}
    return {document.id: NEAR_DUPLICATE for document in documents if document.id not in kept}


def deduplicate(
    shards: Sequence[Path], work: Path, engine: Engine, near_duplicates: NearDuplicates | None, seed: int, samples: int
) -> tuple[list[Path], list[Manifest]]:
    """Drop exact duplicates from shards, and then near-duplicates, if asked for, across all of them.

    Args:
        shards: shards that Keyed made, of rows with ids of their own.
        work: a directory for signatures and results, where finished shards are found again.
        engine: where shards are processed.
        near_duplicates: how near-duplicates are found, or None to keep them.
        seed: draws the permutations of MinHash, and the dropped rows that are shown.
        samples: how many dropped rows are shown for each source and reason.

    Returns:
        The paths of the shards that are left, and the manifests, which count what was dropped, of both steps.
    """
    drop = write_judgement(judge_duplicates(shards), work / "duplicates.parquet", seed, samples)
    unique, manifests = apply(shards, work / "unique", engine, drop)
    if near_duplicates is None:
        return unique, manifests
    signed, _ = apply(unique, work / "signatures", engine, SignShard(near_duplicates, seed))
    engine.rest()
    judged = judge_near_duplicates(signed, unique, near_duplicates)
    drop = write_judgement(judged, work / "near_duplicates.parquet", seed, samples)
    different, more = apply(unique, work / "different", engine, drop)
    return different, [*manifests, *more]

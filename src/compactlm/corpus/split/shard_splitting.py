"""The split of a corpus in shards: keys a shard, a decision over all rows in arrays, and the rows of each split a shard."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.shard_signatures import SignatureShards, SignShard
from compactlm.corpus.split.grouping import Integers, Rows, crossings, duplicate_key, group, number_keys
from compactlm.corpus.split.mixing import Mixture, mix
from compactlm.corpus.split.placement import draw_place, place, protect
from compactlm.corpus.split.splitting import TRAIN, Homes, split_groups
from compactlm.params import Split
from compactlm.shards.engine import Engine, apply
from compactlm.shards.gathering import cut
from compactlm.shards.keys import KEY_BYTES, as_keys
from compactlm.shards.shards import Report, write_working

_COLUMNS = ("source", "task", "label")


@dataclasses.dataclass(frozen=True, slots=True)
class SplitKeyShard:
    """Makes of a shard what a split has to know of each row.

    Attributes:
        seed: draws the places of a split that is stable under growth.
    """

    seed: int

    def parameters(self) -> dict[str, object]:
        """Return all that the result depends on, as what JSON can hold."""
        return {"seed": self.seed}

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return source, task, label, keys of text and document, and the drawn place of all rows, in their order."""
        names, sources, documents, texts = (table[name].to_pylist() for name in ("id", "source", "document", "text"))
        columns = {name: table[name] for name in _COLUMNS}
        columns["duplicates"] = pa.array([_key(duplicate_key(text)) for text in texts], pa.binary(KEY_BYTES))
        keys = [_key(f"{source}\0{document}") for source, document in zip(sources, documents, strict=True)]
        columns["documents"] = pa.array(keys, pa.binary(KEY_BYTES))
        drawn = [draw_place(*row, self.seed) for row in zip(names, sources, documents, texts, strict=True)]
        columns["drawn"] = pa.array(drawn, pa.uint64())
        return pa.table(columns), Report()


def _key(value: str) -> bytes:
    return hashlib.blake2b(value.encode(), digest_size=KEY_BYTES).digest()


def read_rows(tables: Iterable[pa.Table]) -> Rows:
    """Return the rows of the tables that SplitKeyShard makes."""
    strata: dict[tuple[str, str | None, str | None], int] = {}
    stratum, drawn = [], []
    keys: dict[str, bytearray] = {"duplicates": bytearray(), "documents": bytearray()}
    for table in tables:
        coded = [table[name].combine_chunks().dictionary_encode(null_encoding="encode") for name in _COLUMNS]
        different, inverse = np.unique(np.stack([column.indices.to_numpy() for column in coded], axis=1), axis=0, return_inverse=True)
        values = [column.dictionary.to_pylist() for column in coded]
        numbers = [
            strata.setdefault(tuple(found[place] for found, place in zip(values, places, strict=True)), len(strata))
            for places in different.tolist()
        ]
        stratum.append(np.array(numbers, dtype=np.int64)[inverse.ravel()])
        drawn.append(table["drawn"].to_numpy())
        for name, packed in keys.items():
            packed.extend(b"".join(table[name].to_pylist()))
    return Rows(
        strata=list(strata),
        stratum=np.concatenate([np.zeros(0, dtype=np.int64), *stratum]),
        duplicates=number_keys(as_keys(keys["duplicates"])),
        documents=number_keys(as_keys(keys["documents"])),
        drawn=np.concatenate([np.zeros(0, dtype=np.uint64), *drawn]),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class SplitCorpus:
    """A corpus in three splits.

    Attributes:
        rows: what was known of each row.
        homes: the split of each, -1 for what is left out.
        groups: rows that stay together.
        clusters: of near-duplicates, None where they are not looked for.
        shards: working shards of each split.
        mixture: train rows left out and repeated for the weights of their sources.
    """

    rows: Rows
    homes: Homes
    groups: Integers
    clusters: Integers | None
    shards: dict[str, list[Path]]
    mixture: Mixture

    def numberings(self) -> dict[str, Integers]:
        """Return by name what is counted as leakage where it is in several splits."""
        found = {"duplicates": self.rows.duplicates, "documents": self.rows.documents}
        return found | ({} if self.clusters is None else {"near_duplicates": self.clusters})

    def leakage(self) -> dict[str, int]:
        """Return how many duplicates, documents and clusters of near-duplicates have rows in several splits."""
        return crossings(self.numberings(), self.homes)


def decide(rows: Rows, clusters: Integers | None, split: Split, seed: int) -> tuple[Homes, Integers]:
    """Return the split of each row (-1 for one that is left out), and the groups of rows that stay together.

    Args:
        rows: the rows.
        clusters: of near-duplicates, or None.
        split: the section of params.yaml.
        seed: draws what is stratified.

    Raises:
        CompactLMError: there are too few groups for three splits.
    """
    near = [] if clusters is None or split.across_splits == "report" else [clusters]
    if split.placement == "stable":
        return protect(place(rows.drawn, split), group([rows.duplicates, *near])), group([rows.duplicates, rows.documents, *near])
    groups = group([rows.duplicates, rows.documents, *(near if split.across_splits == "prevent" else [])])
    homes = split_groups(rows, groups, split, seed)
    for numbering in near if split.across_splits == "leave_out" else []:
        homes = protect(homes, numbering)
    return homes, groups


def split_corpus(parts: Sequence[Path], work: Path, split: Split, seed: int, engine: Engine, shard_bytes: int) -> SplitCorpus:
    """Split a corpus; neither the engine nor the size of the shards changes what becomes of it.

    Of all rows some hundred bytes are in memory, with those that scipy and scikit-learn need for a moment.

    Args:
        parts: the parts of the artifact to split.
        work: a directory for working shards, where finished ones are found again.
        split: the section of params.yaml.
        seed: draws the splits, and the permutations of MinHash.
        engine: where shards are processed.
        shard_bytes: about how much text a working shard holds.

    Raises:
        CompactLMError: there are too few groups for three splits.
    """
    shards = cut(parts, work / "in", shard_bytes)
    keys, _ = apply(shards, work / "keys", engine, SplitKeyShard(seed))
    rows = read_rows(pq.read_table(path) for path in keys)
    signed: list[Path] = []
    if split.near_duplicates is not None:
        signed, _ = apply(shards, work / "signatures", engine, SignShard(split.near_duplicates, seed))
    engine.rest()
    clusters = None if split.near_duplicates is None else SignatureShards(signed).clusters(split.near_duplicates)
    homes, groups = decide(rows, clusters, split, seed)
    mixture = Mixture()
    found: dict[str, list[Path]] = {name: [] for name in SPLITS}
    start = 0
    for shard in shards:
        table = pq.read_table(shard)
        own, start = homes[start : start + len(table)], start + len(table)
        for home, name in enumerate(SPLITS):
            chosen = table.filter(pa.array(own == home))
            if home == TRAIN:
                chosen = mix(chosen, split.weights, seed, mixture)
            found[name].append(_write(chosen, work / name / shard.name))
    _remove_strays(work, found)
    _check_nothing_lost(homes, mixture, found)
    return SplitCorpus(rows, homes, groups, clusters, found, mixture)


def _check_nothing_lost(homes: Homes, mixture: Mixture, found: dict[str, list[Path]]) -> None:
    placed = int((homes >= 0).sum())
    expected = placed - mixture.left_out.total() + mixture.repeated.total()
    written = sum(pq.read_metadata(path).num_rows for paths in found.values() for path in paths)
    if written != expected:
        raise RuntimeError(f"of {len(homes)} rows {placed} were placed, {expected} with mixture weights, and {written} were written")


def _write(table: pa.Table, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_working(table, path)
    return path


def _remove_strays(work: Path, found: dict[str, list[Path]]) -> None:
    for name, paths in found.items():
        for stray in set((work / name).iterdir()) - set(paths):
            stray.unlink()

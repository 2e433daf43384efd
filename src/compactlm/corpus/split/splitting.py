"""Split a corpus: rows that belong together go to one split, and the rows of each shard are written to their splits."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.placing import TRAIN, Homes, place
from compactlm.corpus.duplicates.signatures import SignatureShards, SignShard
from compactlm.corpus.split.document_groups import crossings, group, protect, protect_placed
from compactlm.corpus.split.mixing import Mixture, mix
from compactlm.corpus.split.queries import QueryLeakage, keep_out
from compactlm.corpus.split.rare_labels import groups_of_labels
from compactlm.corpus.split.rows import Integers, Rows, SplitKeyShard, count_strata, in_clusters_of_several_labels, labels_of, read_rows
from compactlm.corpus.split.stratified import split_groups
from compactlm.errors import CompactLMError
from compactlm.params import Split, Task
from compactlm.shards.engine import Engine, apply
from compactlm.shards.gathering import cut
from compactlm.shards.reports import LARGE_LOSS, shown
from compactlm.shards.shards import write_working
from compactlm.tasks import kind_of


@dataclasses.dataclass(frozen=True, slots=True)
class SplitCorpus:
    """A corpus in three splits.

    Attributes:
        homes: the split of each row; -1 for a row that is left out.
        groups: the group of each row; a group is never divided.
        clusters: the cluster of near-duplicates of each row; None if near-duplicates were not searched.
        samples: an example of a left-out row, by source.
        mixture: the numbers of train rows that were left out or repeated because of the weight of their source.
        queries: the numbers of kept and removed queries of each split; None if the rows have no queries.
    """

    rows: Rows
    homes: Homes
    groups: Integers
    clusters: Integers | None
    shards: dict[str, list[Path]]
    mixture: Mixture
    queries: QueryLeakage | None = None
    samples: dict[str, str] = dataclasses.field(default_factory=dict)

    def numberings(self) -> dict[str, Integers]:
        """Return the numberings by name; rows with the same number must not be in different splits."""
        found = {"duplicates": self.rows.duplicates, "documents": self.rows.documents}
        return found | ({} if self.clusters is None else {"near_duplicates": self.clusters})

    def leakage(self) -> dict[str, int]:
        """Return how many texts, documents and clusters of near-duplicates have rows in more than one split."""
        return crossings(self.numberings(), self.homes)


def decide(rows: Rows, clusters: Integers | None, split: Split, seed: int) -> tuple[Homes, Integers]:
    """Return the split (-1 for a left-out row) and the group of each row; raises CompactLMError for too few groups."""
    near = [] if clusters is None or split.across_splits == "report" else [clusters]
    if split.placement == "stable":
        homes, groups = place(rows.drawn, rows.sources(), split), group([rows.duplicates, rows.documents, *near])
        return _without_alike(protect(homes, rows.duplicates), group([rows.duplicates, *near]), rows), groups
    groups = group([rows.duplicates, rows.documents, *(near if split.across_splits == "prevent" else [])])
    homes = split_groups(rows, groups, split, seed)
    for numbering in near if split.across_splits == "leave_out" else []:
        homes = _without_alike(homes, numbering, rows)
    return homes, groups


def _without_alike(homes: Homes, clusters: Integers, rows: Rows) -> Homes:
    left: Homes = np.where(in_clusters_of_several_labels(rows, clusters), homes, protect_placed(homes, clusters))
    return left


def split_corpus(
    parts: Sequence[Path],
    work: Path,
    split: Split,
    seed: int,
    engine: Engine,
    shard_bytes: int,
    tasks: Mapping[str, Task] = MappingProxyType({}),
) -> SplitCorpus:
    """Split a corpus. The result depends neither on the engine nor on the size of the shards.

    Memory holds about a hundred bytes per row, including what scipy and scikit-learn need temporarily. Working shards have about
    `shard_bytes` of text; finished ones in `work` are reused. The seed draws the splits, and the permutations of MinHash. Rows of `tasks`
    that have another target than a label are stratified as their kind of task says.

    Raises:
        CompactLMError: there are too few groups for three splits.
    """
    shards = cut(parts, work / "in", shard_bytes)
    keys, _ = apply(shards, work / "keys", engine, SplitKeyShard(seed, dict(tasks)))
    rows = read_rows(pq.read_table(path) for path in keys)
    signed: list[Path] = []
    if split.near_duplicates is not None:
        signed, _ = apply(shards, work / "signatures", engine, SignShard(split.near_duplicates, seed))
    engine.rest()
    clusters = None if split.near_duplicates is None else SignatureShards(signed).clusters(split.near_duplicates)
    homes, groups = decide(rows, clusters, split, seed)
    shards, homes, queries = keep_out(
        shards, signed, homes, in_clusters_of_several_labels(rows, clusters), work / "queries", split, seed, engine
    )
    mixture = Mixture()
    found: dict[str, list[Path]] = {name: [] for name in SPLITS}
    samples: dict[str, str] = {}
    start = 0
    for shard in shards:
        table = pq.read_table(shard)
        own, start = homes[start : start + len(table)], start + len(table)
        gone = table.filter(pa.array(own < 0))
        for source, text in zip(gone["source"].to_pylist(), gone["text"].to_pylist(), strict=True):
            samples.setdefault(source, text)
        for home, name in enumerate(SPLITS):
            chosen = table.filter(pa.array(own == home))
            if home == TRAIN:
                chosen = mix(chosen, split.weights, seed, mixture)
            found[name].append(_write(chosen, work / name / shard.name))
    _remove_strays(work, found)
    _check_all_rows_written(homes, mixture, found)
    return SplitCorpus(rows, homes, groups, clusters, found, mixture, queries, samples)


def _check_all_rows_written(homes: Homes, mixture: Mixture, found: dict[str, list[Path]]) -> None:
    placed = int((homes >= 0).sum())
    expected = placed - mixture.left_out.total() + mixture.repeated.total()
    written = sum(pq.read_metadata(path).num_rows for paths in found.values() for path in paths)
    if written != expected:
        raise RuntimeError(f"{placed} of {len(homes)} rows were placed, which makes {expected} with weights, but {written} were written")


def _write(table: pa.Table, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_working(table, path)
    return path


def _remove_strays(work: Path, found: dict[str, list[Path]]) -> None:
    for name, paths in found.items():
        for stray in set((work / name).iterdir()) - set(paths):
            stray.unlink()


def check_tasks(rows: Rows, homes: Homes, groups: Integers, tasks: Mapping[str, Task]) -> None:
    """Raise CompactLMError if a split has no row of a task's label. Labels with few groups must only be in train."""
    few = groups_of_labels(rows, groups)
    for split, found in zip(SPLITS, count_strata(rows, homes), strict=True):
        for name, task in sorted(tasks.items()):
            counts: Counter[str] = Counter()
            total = 0
            for (_, owner, labels), count in zip(rows.strata, found.tolist(), strict=True):
                if owner == name:
                    counts.update(dict.fromkeys(labels_of(labels), count))
                    total += count
            missing = [
                label
                for label in _placed_labels(task, name, few)
                if not counts[label] and (split == SPLITS[TRAIN] or len(few.get((name, label), ())) >= len(SPLITS))
            ]
            if missing:
                counted = [f"{label} ({len(few.get((name, label), ())):,} groups of rows)" for label in missing]
                raise CompactLMError(
                    f"tasks.{name}: split {split} has {total:,} of its rows but none with the label {', '.join(counted)}; a label "
                    "needs three groups or more (duplicates and rows of one document form a group), so add rows to "
                    f"{', '.join(task.sources)} or raise the share in split.{split}"
                )


def _placed_labels(task: Task, name: str, groups: Mapping[tuple[str, str], Integers]) -> list[str]:
    """Return the labels of a task that each split needs. For tags these are the types of entities, which may differ from the labels."""
    return [label for owner, label in groups if owner == name] if "tags" in kind_of(task).fields else list(task.labels)


def check_weights(rows: Rows, homes: Homes, left_out: Mapping[tuple[str | None, str | None], int], tasks: Mapping[str, Task]) -> None:
    """Raise CompactLMError if, because of the weights, train has no row of a task's label."""
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for (_, task, label), count in zip(rows.strata, count_strata(rows, homes)[TRAIN].tolist(), strict=True):
        counts[task, label] += count
    for (owner, label), count in sorted(left_out.items(), key=str):
        if owner is not None and owner in tasks and count == counts[owner, label]:
            raise CompactLMError(
                f"tasks.{owner}: split.weights leave no train row with the label {label}; raise the weight of "
                f"{', '.join(tasks[owner].sources)} there"
            )


def losses(found: SplitCorpus, tasks: Mapping[str, Task]) -> list[str]:
    """Return a warning, with a sample row, for each source of a task that loses more than the share LARGE_LOSS of its rows."""
    sources = sorted({source for task in tasks.values() for source in task.sources})
    owners = np.array([source for source, _, _ in found.rows.strata])[found.rows.stratum]
    said = []
    for source in sources:
        own = found.homes[owners == source]
        gone = int((own < 0).sum())
        if gone > LARGE_LOSS * len(own):
            said.append(
                f"{gone:,} of {len(own):,} rows of {source} are left out because they are like rows of another split, such as "
                f"{shown(found.samples[source])}; to keep them, set split.across_splits to report"
            )
    return said

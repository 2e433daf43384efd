"""The data that a split needs about each row, as arrays: stratum, keys of text and document, and draw."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from compactlm.artifacts import SPLITS, TARGETS, to_documents
from compactlm.corpus.duplicates.placing import Homes, draw_place, duplicate_key
from compactlm.corpus.duplicates.wholes import SEPARATOR, passages
from compactlm.params import Task
from compactlm.shards.keys import KEY_BYTES, as_keys, hash_key, number_keys
from compactlm.shards.reports import Report
from compactlm.shards.shards import ShardStep
from compactlm.tasks import kind_of

_COLUMNS = ("source", "task", "label")
BINS = 5  # of the scores of a task
Integers = npt.NDArray[np.int64]
Stratum = tuple[str, str | None, str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """The data that a split needs about each row, sorted by id; 41 bytes per row.

    Attributes:
        strata: the distinct triples of source, task and label. For a row with several labels, the label is their combination; see
            `labels_of`.
        stratum: the number of each row's triple.
        duplicates: numbers that are equal for near-exact duplicates.
        documents: numbers that are equal for rows of one document.
        drawn: draws by seed and document (or text), for a split that is stable under growth.
        decided: for each row, whether the text alone decides its label: the row has a label, no score, and is not a pair.
    """

    strata: list[Stratum]
    stratum: Integers
    duplicates: Integers
    documents: Integers
    drawn: npt.NDArray[np.uint64]
    decided: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.stratum)

    def sources(self) -> list[str]:
        """Return the source of each row."""
        names = [source for source, _, _ in self.strata]
        return [names[stratum] for stratum in self.stratum.tolist()]


@dataclasses.dataclass(frozen=True, slots=True)
class SplitKeyShard(ShardStep):
    """Turns a shard of documents into a shard with the columns that a split needs. A stable split uses the seed for its draws."""

    seed: int
    tasks: Mapping[str, Task] = dataclasses.field(default_factory=dict)

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return source, task, label, keys of text and document, and draw of each row, in order. Of a pair the longer text counts."""
        names, sources, documents = (table[name].to_pylist() for name in ("id", "source", "document"))
        texts = passages(table)
        columns = {name: table[name] for name in _COLUMNS}
        columns["label"] = self._labels(table)
        columns |= {"score": table["score"]} if "score" in table.column_names else {}
        columns |= {"paired": pc.is_valid(table["pair"])} if "pair" in table.column_names else {}
        columns["duplicates"] = pa.array([hash_key(duplicate_key(text)) for text in texts], pa.binary(KEY_BYTES))
        keys = [hash_key(f"{source}\0{document}") for source, document in zip(sources, documents, strict=True)]
        columns["documents"] = pa.array(keys, pa.binary(KEY_BYTES))
        drawn = [draw_place(*row, self.seed) for row in zip(names, sources, documents, texts, strict=True)]
        columns["drawn"] = pa.array(drawn, pa.uint64())
        return pa.table(columns), Report()

    def _labels(self, table: pa.Table) -> pa.ChunkedArray:
        """Return the column `label`. Rows with another kind of target get the stratum of the target as their label."""
        others = {name: task for name, task in self.tasks.items() if kind_of(task).fields != ("label",)}
        if not others or not TARGETS.keys() & set(table.column_names):
            return table["label"]
        labels = [
            kind_of(others[row.task]).strata(row, others[row.task]) if row.task is not None and row.task in others else row.label
            for row in to_documents(table)
        ]
        return pa.chunked_array([pa.array(labels, pa.string())])


def labels_of(label: str | None) -> tuple[str, ...]:
    """Return the labels of a stratum: one, several (of rows that have all of them), or none."""
    return tuple(label.split(SEPARATOR)) if label else ()


def read_rows(tables: Iterable[pa.Table]) -> Rows:
    """Return the rows of the tables that SplitKeyShard makes."""
    strata: dict[tuple[str, str | None, str | None], int] = {}
    stratum, drawn, scores, decided = [], [], [], []
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
        scores.append(table["score"].to_numpy() if "score" in table.column_names else np.full(len(table), np.nan))
        alone = ~table["paired"].to_numpy() if "paired" in table.column_names else np.ones(len(table), dtype=np.bool_)
        decided.append(alone & np.isnan(scores[-1]) & pc.is_valid(table["label"]).to_numpy())
        for name, packed in keys.items():
            packed.extend(b"".join(table[name].to_pylist()))
    named, numbered = bin_scores(
        list(strata), np.concatenate([np.zeros(0, dtype=np.int64), *stratum]), np.concatenate([np.zeros(0), *scores])
    )
    return Rows(
        strata=named,
        stratum=numbered,
        duplicates=number_keys(as_keys(keys["duplicates"])),
        documents=number_keys(as_keys(keys["documents"])),
        drawn=np.concatenate([np.zeros(0, dtype=np.uint64), *drawn]),
        decided=np.concatenate([np.zeros(0, dtype=np.bool_), *decided]),
    )


def bin_scores(strata: list[Stratum], stratum: Integers, scores: npt.NDArray[np.float64]) -> tuple[list[Stratum], Integers]:
    """Split the scores of each task into BINS bins of equal size. Return strata with the bin as their label, and each row's stratum.

    Args:
        strata: the triples of source, task and label.
        stratum: the number of each row's triple.
        scores: the score of each row; nan for a row without one, which keeps its stratum.
    """
    scored = np.isfinite(scores)
    if not scored.any():
        return strata, stratum
    names, numbers = list(strata), stratum.copy()
    known = {name: number for number, name in enumerate(names)}
    for task in sorted({str(strata[number][1]) for number in np.unique(stratum[scored]).tolist()}):
        of_task = np.array([name[1] == task for name in strata])[stratum] & scored
        edges = np.unique(np.quantile(scores[of_task], np.arange(1, BINS) / BINS))
        bins = np.searchsorted(edges, scores, side="left")
        for number in np.unique(stratum[of_task]).tolist():
            for bin_ in range(len(edges) + 1):
                chosen = of_task & (stratum == number) & (bins == bin_)
                if chosen.any():
                    name = (strata[number][0], task, f"part_{bin_ + 1}")
                    numbers[chosen] = known.setdefault(name, len(known))
    used, again = np.unique(numbers, return_inverse=True)
    every = list(known)
    return [every[number] for number in used.tolist()], again.astype(np.int64)


def count_strata(rows: Rows, homes: Homes) -> Integers:
    """Return the number of rows of each split and stratum, int [splits, strata], without left-out rows."""
    placed = homes >= 0
    cells = homes[placed].astype(np.int64) * len(rows.strata) + rows.stratum[placed]
    return np.bincount(cells, minlength=len(SPLITS) * len(rows.strata)).reshape(len(SPLITS), -1)


def in_clusters_of_several_labels(rows: Rows, clusters: Integers | None) -> npt.NDArray[np.bool_]:
    """Return for each row whether it has a label and its cluster contains another label of the same task.

    Such rows share a template, and their differences decide their labels. Pairs and rows with scores never count: the cluster of a pair is
    that of its longer text alone.
    """
    if clusters is None:
        return np.zeros(len(rows), dtype=np.bool_)
    tasks = {task: number for number, task in enumerate(dict.fromkeys(task for _, task, _ in rows.strata))}
    labels = {label: number for number, label in enumerate(dict.fromkeys(label for *_, label in rows.strata))}
    task = np.array([tasks[task] for _, task, _ in rows.strata])
    label = np.array([labels[label] for *_, label in rows.strata])
    labelled = rows.decided
    owners = clusters * len(tasks) + task[rows.stratum]
    found = np.unique(np.stack([owners[labelled], label[rows.stratum][labelled]]), axis=1)[0]
    several = found[1:][found[1:] == found[:-1]]
    return labelled & np.isin(owners, several)

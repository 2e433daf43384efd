"""What a split knows of each row: its stratum, the keys of its text and document, and its draw, as arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.placing import Homes, draw_place, duplicate_key
from compactlm.shards.keys import KEY_BYTES, as_keys, hash_key, number_keys
from compactlm.shards.reports import Report
from compactlm.shards.shards import ShardStep

_COLUMNS = ("source", "task", "label")
Integers = npt.NDArray[np.int64]
Stratum = tuple[str, str | None, str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """What a split knows of each row, in the order of their ids; 40 bytes per row.

    Attributes:
        strata: the different triples of source, task and label.
        stratum: the number of each row's triple.
        duplicates: numbers that are equal for near-exact duplicates.
        documents: numbers that are equal for rows of one document.
        drawn: draws by seed and document, or text, for a split that is stable under growth.
    """

    strata: list[Stratum]
    stratum: Integers
    duplicates: Integers
    documents: Integers
    drawn: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.stratum)

    def sources(self) -> list[str]:
        """Return the source of each row."""
        names = [source for source, _, _ in self.strata]
        return [names[stratum] for stratum in self.stratum.tolist()]


@dataclasses.dataclass(frozen=True, slots=True)
class SplitKeyShard(ShardStep):
    """Turns a shard of documents into a shard of the columns that a split needs; the seed is for the draws of a stable split."""

    seed: int

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        """Return source, task, label, keys of text and document, and the draw of each row, in order."""
        names, sources, documents, texts = (table[name].to_pylist() for name in ("id", "source", "document", "text"))
        columns = {name: table[name] for name in _COLUMNS}
        columns["duplicates"] = pa.array([hash_key(duplicate_key(text)) for text in texts], pa.binary(KEY_BYTES))
        keys = [hash_key(f"{source}\0{document}") for source, document in zip(sources, documents, strict=True)]
        columns["documents"] = pa.array(keys, pa.binary(KEY_BYTES))
        drawn = [draw_place(*row, self.seed) for row in zip(names, sources, documents, texts, strict=True)]
        columns["drawn"] = pa.array(drawn, pa.uint64())
        return pa.table(columns), Report()


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


def count_strata(rows: Rows, homes: Homes) -> Integers:
    """Return the number of rows of each split and stratum, as an array of shape (splits, strata), without left-out rows."""
    placed = homes >= 0
    cells = homes[placed].astype(np.int64) * len(rows.strata) + rows.stratum[placed]
    return np.bincount(cells, minlength=len(SPLITS) * len(rows.strata)).reshape(len(SPLITS), -1)


def in_clusters_of_several_labels(rows: Rows, clusters: Integers | None) -> npt.NDArray[np.bool_]:
    """Return for each row whether it has a label and its cluster has rows with another label of the same task.

    Such rows share a template, and what differs between them decides their labels.
    """
    if clusters is None:
        return np.zeros(len(rows), dtype=np.bool_)
    tasks = {task: number for number, task in enumerate(dict.fromkeys(task for _, task, _ in rows.strata))}
    labels = {label: number for number, label in enumerate(dict.fromkeys(label for *_, label in rows.strata))}
    task = np.array([tasks[task] for _, task, _ in rows.strata])
    label = np.array([labels[label] for *_, label in rows.strata])
    labelled = np.array([name is not None for *_, name in rows.strata])[rows.stratum]
    owners = clusters * len(tasks) + task[rows.stratum]
    found = np.unique(np.stack([owners[labelled], label[rows.stratum][labelled]]), axis=1)[0]
    several = found[1:][found[1:] == found[:-1]]
    return labelled & np.isin(owners, several)

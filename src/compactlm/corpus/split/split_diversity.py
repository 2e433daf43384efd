"""Figures of diversity for each split and each source in it, and tables for plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from compactlm.artifacts import SPLITS, Document
from compactlm.corpus.duplicates.placing import Homes
from compactlm.corpus.split.rows import Integers, Rows
from compactlm.params import DiversityFigures
from compactlm.text.diversity import Diversity, words_of

ALL = "all"
_BATCH = 1_000
Figures = dict[str, dict[str, dict[str, Any]]]
_COLUMNS = ("id", "source", "text", "document", "task", "label")


def measure_splits(shards: Mapping[str, Sequence[Path]], settings: DiversityFigures, seed: int) -> Figures:
    """Return the figures by split and source, with "all" for all sources together."""
    figures: Figures = {}
    for split, paths in shards.items():
        gathered: dict[str, Diversity] = {ALL: Diversity(settings, seed)}
        for document in _documents(paths):
            words = words_of(document.text)
            gathered[ALL].add_words(document, words)
            gathered.setdefault(document.source, Diversity(settings, seed)).add_words(document, words)
        figures[split] = {source: gathered[source].figures() for source in sorted(gathered)}
    return figures


def _documents(paths: Iterable[Path]) -> Iterable[Document]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH, columns=list(_COLUMNS)):
                yield from (Document(**row) for row in batch.to_pylist())


def add_near_duplicates(figures: Figures, rows: Rows, homes: Homes, clusters: Integers) -> None:
    """Add the share of rows that are near-duplicates of an earlier row in the same split (and source) to the figures."""
    sources = np.array([source for source, _, _ in rows.strata])[rows.stratum]
    for home, split in enumerate(SPLITS):
        for source, found in figures[split].items():
            chosen = clusters[(homes == home) & ((source == ALL) | (sources == source))]
            if len(chosen):
                found["near_duplicate_rate"] = round(1 - len(np.unique(chosen)) / len(chosen), 6)


def plot_rows(figures: Figures) -> dict[str, dict[str, list[tuple[int, int]]]]:
    """Return the tables of the plots by name and split: `words` (rows by length) and `vocabulary` (different words)."""

    def numbers(cells: Mapping[str, int]) -> list[tuple[int, int]]:
        return [(int(key), value) for key, value in cells.items()]

    return {
        name: {split: numbers(found[ALL][column]) for split, found in figures.items()}
        for name, column in (("words", "lengths"), ("vocabulary", "vocabulary"))
    }

"""Groups of rows that must be in the same split: near-exact duplicates, rows of one document, and near-duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.clusters import join_rows
from compactlm.corpus.duplicates.placing import TEST, TRAIN, VALIDATION, Homes
from compactlm.corpus.split.rows import Integers

PROTECTED = (TEST, VALIDATION, TRAIN)  # a split keeps its rows, and related rows of later splits are left out


def group(numberings: Iterable[Integers]) -> Integers:
    """Return the number of each row's group. Groups are numbered from 0 in the order of their first rows.

    A numbering is an array with a number for each row. Rows that share a number in one of the numberings, directly or through other rows,
    form a group.
    """
    labels = np.zeros(0, dtype=np.int64)
    for numbering in numberings:
        rows = np.arange(len(numbering))
        first = _first_rows(numbering)[numbering]
        joined = np.flatnonzero(first != rows)
        labels = join_rows(labels if len(labels) else rows, joined, first[joined])
    is_first = labels == np.arange(len(labels))
    return (np.cumsum(is_first) - 1)[labels]


def _first_rows(numbers: Integers) -> Integers:
    """Return the first row with each number."""
    first = np.zeros(numbers.max() + 1 if len(numbers) else 0, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]  # NumPy keeps the last write to a position: the first row
    return first


def crossings(numberings: Mapping[str, Integers], homes: Homes) -> dict[str, int]:
    """For each numbering, count the numbers whose rows are in more than one split. Left-out rows (-1) do not count."""
    placed = homes >= 0
    counts = {}
    for name, numbering in numberings.items():
        several = np.unique(numbering[placed] * len(SPLITS) + homes[placed]) // len(SPLITS)  # each number once for each of its splits
        counts[name] = len(np.unique(several[1:][several[1:] == several[:-1]]))
    return counts


def protect(homes: Homes, clusters: Integers) -> Homes:
    """Set the split of a row to -1 if its cluster has a row in a split that comes earlier in PROTECTED. Return the splits."""
    ranks = np.array([PROTECTED.index(home) for home in range(len(SPLITS))])[homes]
    first = np.full(clusters.max() + 1 if len(clusters) else 0, len(PROTECTED))
    np.minimum.at(first, clusters, ranks)
    return np.where(ranks == first[clusters], homes, -1).astype(np.int8)


def protect_placed(homes: Homes, clusters: Integers) -> Homes:
    """Do the same as `protect`, for splits in which some rows are already left out (-1)."""
    placed = homes >= 0
    left = np.full(len(homes), -1, dtype=np.int8)
    left[placed] = protect(homes[placed], np.unique(clusters[placed], return_inverse=True)[1])
    return left

"""Test whether a difference between answers is more than chance, by exact tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest

SIGNIFICANCE = 0.01

Labels = npt.NDArray[np.int64]


def most_frequent(expected: Labels) -> float:
    """Return the share of the most frequent label, which is the accuracy of always predicting it."""
    return float(np.bincount(expected).max() / len(expected))


def beats_chance(expected: Labels, predicted: Labels) -> bool:
    """Return whether the accuracy is above that of always predicting the most frequent label (binomial test)."""
    right = int((expected == predicted).sum())
    return bool(binomtest(right, len(expected), most_frequent(expected), alternative="greater").pvalue < SIGNIFICANCE)


def is_better(expected: Labels, first: Labels, second: Labels) -> bool:
    """Return whether the first answers are right more often than the second answers to the same rows.

    The test is the exact form of McNemar's test (1947, https://doi.org/10.1007/BF02295996).
    """
    gained = int(((expected == first) & (expected != second)).sum())
    lost = int(((expected != first) & (expected == second)).sum())
    if not gained + lost:
        return False
    return bool(binomtest(gained, gained + lost, alternative="greater").pvalue < SIGNIFICANCE)


def best_order(expected: Labels, predicted: Labels, labels: int) -> Labels:
    """Return the assignment of label ids to output ids, [labels], with which most answers are right."""
    counts = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(counts, (predicted, expected), 1)
    # A small bonus keeps the present order where another one is as good.
    return linear_sum_assignment(2 * counts + np.eye(labels, dtype=np.int64), maximize=True)[1].astype(np.int64)


def in_best_order(expected: Labels, predicted: Labels, labels: int) -> tuple[Labels, bool]:
    """Return the answers in the best order of labels, and whether this is another order that is better by more than chance."""
    ordered = best_order(expected, predicted, labels)[predicted]
    better = is_better(expected, ordered, predicted) and beats_chance(expected, ordered)
    return (ordered if better else predicted), better

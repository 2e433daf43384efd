"""Average precision and correlations of many resamples at once, each as scikit-learn and scipy give it for the rows of the resample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def average_precision(positive: npt.NDArray[np.bool_], scores: Array, weights: Array) -> Array:
    """Return the average precision of each resample, float64 [resamples]; nan without a positive row.

    It is the sum over thresholds of the precision times the gain in recall. Rows with equal scores pass a threshold together.

    Args:
        positive: which rows have the label [rows].
        scores: a higher score is more of the label [rows].
        weights: how often each row occurs in each resample, float64 [resamples, rows].
    """
    order, starts = _ties(-scores)
    right = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    passed = np.cumsum(np.add.reduceat(weights[:, order], starts, axis=1), axis=1)
    precision = divide(np.cumsum(right, axis=1), passed, 0.0)
    return divide((precision * right).sum(axis=1), right.sum(axis=1), np.nan)


def pearson(first: Array, second: Array, weights: Array) -> Array:
    """Return the linear correlation of two columns, both [rows], in each resample; nan where a column is constant."""
    # Columns without their mean lose fewer digits.
    return _correlation(first - first.mean(), second - second.mean(), weights)


def spearman(first: Array, second: Array, weights: Array) -> Array:
    """Return the rank correlation of two columns, both [rows], in each resample; nan where a column is constant. Ties share their rank."""
    return _correlation(_ranks(first, weights), _ranks(second, weights), weights)


def divide(above: Array, below: Array, otherwise: float) -> Array:
    """Divide; `otherwise` where the denominator is 0."""
    return np.divide(above, below, out=np.full(np.shape(above), otherwise), where=below != 0)


def _ranks(values: Array, weights: Array) -> Array:
    """Return the rank of each row in each resample, [resamples, rows], around 0."""
    order, starts = _ties(values)
    held = np.add.reduceat(weights[:, order], starts, axis=1)
    below = np.cumsum(held, axis=1) - held
    group = np.empty(len(values), dtype=np.int64)
    group[order] = np.repeat(np.arange(len(starts)), np.diff([*starts, len(values)]))
    return (below + held / 2 - weights.sum(axis=1, keepdims=True) / 2)[:, group]


def _correlation(first: Array, second: Array, weights: Array) -> Array:
    """Return the linear correlation of two columns of each resample; both may be [rows] or [resamples, rows]."""
    total = weights.sum(axis=1)

    def product(one: Array, other: Array) -> Array:
        return (weights * one * other).sum(axis=1) * total - (weights * one).sum(axis=1) * (weights * other).sum(axis=1)

    spread = [product(column, column) for column in (first, second)]
    # A constant column has a spread of 0 but for rounding.
    least = [1e-12 * total * (weights * column**2).sum(axis=1) for column in (first, second)]
    varies = (spread[0] > least[0]) & (spread[1] > least[1])
    found = divide(product(first, second), np.sqrt(np.where(varies, spread[0] * spread[1], 0.0)), np.nan)
    return np.clip(found, -1.0, 1.0)


def _ties(values: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the order of the values, and where in it a new value begins."""
    order = np.argsort(values, kind="stable")
    return order, np.flatnonzero(np.diff(values[order], prepend=np.nan) != 0)

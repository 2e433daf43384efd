"""How sure a figure is: intervals by the bootstrap, all resamples at once."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

LEVEL = 0.95
AT_ONCE = 2_000_000  # weights held in memory at a time

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    def as_metrics(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return dataclasses.asdict(self)


def resampled_weights(rows: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield how often each row occurs in each resample: float64 [some resamples, rows], `resamples` in all.

    The same seed gives the same resamples, so that figures of two models on the same rows can be compared pair by pair.
    """
    generator = np.random.default_rng(seed)
    chunk = max(1, AT_ONCE // max(rows, 1))
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        drawn = generator.integers(0, rows, (count, rows)) + rows * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(np.float64)


def percentile_interval(value: float, resampled: Array) -> Estimate:
    """Return a figure with the interval of its resampled values (Efron and Tibshirani 1993, the percentile bootstrap).

    Resamples in which the figure has no value (nan) are left out; without any the bounds are nan.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        low, high = np.nanquantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))


def share(right: int, rows: int) -> Estimate:
    """Return a share of rows with its interval (Wilson 1927, by scipy), which holds for few rows too; nan without rows."""
    if rows == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    interval = binomtest(right, rows).proportion_ci(LEVEL, method="wilson")
    return Estimate(right / rows, float(interval.low), float(interval.high))


def mean_interval(values: Array, resamples: int, seed: int) -> Estimate:
    """Return the mean of some values, [rows], with its bootstrap interval; nan without values."""
    if len(values) == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    drawn = np.concatenate([weights @ values / len(values) for weights in resampled_weights(len(values), resamples, seed)])
    return percentile_interval(float(values.mean()), drawn)


def ratio_interval(above: Array, below: Array, resamples: int, seed: int) -> Estimate:
    """Return the sum of `above` over the sum of `below`, each [rows] of the same rows, with its bootstrap interval.

    nan where the sum below is 0, as for rows that a model has all wrong.
    """
    if len(below) == 0 or below.sum() == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    drawn = []
    for weights in resampled_weights(len(below), resamples, seed):
        bottom = weights @ below
        drawn.append(np.divide(weights @ above, bottom, out=np.full(len(bottom), np.nan), where=bottom != 0))
    return percentile_interval(float(above.sum() / below.sum()), np.concatenate(drawn))

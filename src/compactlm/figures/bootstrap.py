"""Confidence intervals by the percentile bootstrap (Efron and Tibshirani 1993), all resamples at once.

The errors of rows of one document (its sentences, its augmented copies) are not independent, so resamples draw whole clusters of rows.
Without clusters, rows are drawn one by one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from compactlm.figures.figure import Figure
from compactlm.params import Bootstrap

Array = npt.NDArray[np.float64]
CELLS_AT_ONCE = 2_000_000  # of draws held in memory
DIGITS = 12
CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True, slots=True)
class Resampler:
    """The bootstrap of one run.

    The same seed gives the same resamples, so figures of two models on the same rows are paired.

    Attributes:
        samples: the number of resamples.
        confidence: the share of the resamples inside an interval.
        seed: the seed of the draws.
    """

    samples: int
    seed: int
    confidence: float = CONFIDENCE

    @classmethod
    def of(cls, settings: Bootstrap, seed: int) -> Resampler:
        """Return the resampler that a section of params.yaml describes."""
        return cls(settings.samples, seed, settings.confidence)

    def draw(self, counts: npt.ArrayLike) -> Iterator[Array]:
        """Yield how often each kind of unit occurs in each resample: float64 [some resamples, kinds], `samples` in all.

        `counts` holds the number of units of each kind. Units of the same kind are interchangeable.
        """
        units = np.asarray(counts, dtype=np.int64)
        generator, total = np.random.default_rng(self.seed), int(units.sum())
        batch = max(1, CELLS_AT_ONCE // max(len(units), 1))
        for start in range(0, self.samples, batch):
            size = min(batch, self.samples - start)
            yield (
                generator.multinomial(total, units / max(total, 1), size=size).astype(np.float64) if total else np.zeros((size, len(units)))
            )

    def sums(self, values: Array, clusters: Sequence[str] | None = None) -> Array:
        """Sum the rows of each resample.

        Args:
            values: float64 [rows, columns].
            clusters: the document of each row; None draws rows one by one.

        Returns:
            float64 [samples, columns].
        """
        sums = values
        if clusters is not None:
            names, positions = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
            sums = np.zeros((len(names), values.shape[1]))
            np.add.at(sums, positions, values)
        # Clusters with equal sums are one kind. Sums are rounded because they depend on the order in which rows are added.
        kinds, counts = np.unique(np.round(sums, 9), axis=0, return_counts=True)
        return np.concatenate([drawn @ kinds for drawn in self.draw(counts)])

    def figure(self, value: float, resampled: Array, **about: Any) -> Figure:
        """Return a figure with the percentile interval of its resampled values.

        A ratio has no value (nan) in a resample whose denominator is 0. Such resamples are left out if there are fewer of them than
        resamples outside the interval. Otherwise the figure has no interval. `about` may hold rows, rows_needed and limit of the figure.
        """
        finite = resampled[np.isfinite(resampled)]
        if not np.isfinite(value) or finite.size == 0 or finite.size < self.confidence * resampled.size:
            return Figure.measured(_rounded(value), **about)
        low, high = np.quantile(finite, [(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        return Figure.measured(_rounded(value), _rounded(float(low)), _rounded(float(high)), **about)

    def mean(self, values: Array, **about: Any) -> Figure:
        """Return the mean of values [rows]. Without rows, the figure has no value."""
        return self.ratio(values, np.ones(len(values)), **about)

    def ratio(self, above: Array, below: Array, **about: Any) -> Figure:
        """Return the sum of `above` divided by the sum of `below`, both [rows]. If the latter is 0, the figure has no value."""
        drawn = self.sums(np.stack([above, below], axis=1))
        return self.figure(float(ratio(above.sum(), below.sum())), ratio(drawn[:, 0], drawn[:, 1]), **{"rows": len(below), **about})


def share(right: int, rows: int, confidence: float = CONFIDENCE, **about: Any) -> Figure:
    """Return a share of rows with its Wilson interval (Wilson 1927, computed by scipy), which is valid for few rows, too."""
    if rows == 0:
        return Figure.measured(None, rows=0, **about)
    interval = binomtest(right, rows).proportion_ci(confidence, method="wilson")
    return Figure.measured(*(_rounded(float(number)) for number in (right / rows, interval.low, interval.high)), rows=rows, **about)


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Array:
    """Divide; the result is nan if the denominator is 0."""
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    return np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below != 0)


def _rounded(value: float) -> float:
    """Round, so that parity is written as 0 or 1. Adding 0 turns -0 into 0."""
    return round(value, DIGITS) + 0.0

"""Intervals by the bootstrap (Efron 1979), whole documents at a time, without a loop over resamples."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compactlm.params import Bootstrap

Array = npt.NDArray[np.float64]
CELLS_AT_ONCE = 5_000_000  # of draws held in memory
DIGITS = 12


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure and its interval; the interval is None where too many resamples give no number."""

    value: float
    low: float | None = None
    high: float | None = None

    def metrics(self, name: str) -> dict[str, float]:
        """Return `name`, and `name_low` and `name_high` where there is an interval."""
        numbers = {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}
        return {key: value for key, value in numbers.items() if value is not None}


def estimate(value: float, resampled: Array, confidence: float) -> Estimate | None:
    """Return the percentile interval around a figure; None where the figure itself is no finite number.

    A ratio has no value in resamples without a denominator. These are left out, as long as they are fewer than the interval leaves out
    by itself; where they are more there is no interval.
    """
    if not np.isfinite(value):
        return None
    finite = resampled[np.isfinite(resampled)]
    if finite.size == 0 or finite.size < confidence * resampled.size:
        return Estimate(rounded(value))
    low, high = np.quantile(finite, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(rounded(value), rounded(float(low)), rounded(float(high)))


def resampled_sums(values: Array, clusters: Sequence[str], settings: Bootstrap, seed: int) -> Array:
    """Sum the rows of each of many resamples.

    Clusters are drawn with replacement, as many as there are, since rows of one document (its sentences, its augmented copies) do
    not err independently. Clusters with equal sums are interchangeable, so how often each kind is drawn is one multinomial draw.

    Args:
        values: float [rows, columns].
        clusters: the document of each row.
        settings: the number of resamples.
        seed: of the draws.

    Returns:
        float [resamples, columns].
    """
    names, positions = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, positions, values)
    # Rounded, so that equal clusters stay equal whatever the order in which their rows were added.
    kinds, counts = np.unique(np.round(sums, 9), axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    if not len(names):
        return np.zeros((settings.samples, values.shape[1]))
    batch = max(1, CELLS_AT_ONCE // len(kinds))
    parts = [
        generator.multinomial(len(names), counts / len(names), size=min(batch, settings.samples - start)).astype(np.float64) @ kinds
        for start in range(0, settings.samples, batch)
    ]
    return np.concatenate(parts)


def ratio(numerator: Array, denominator: Array) -> Array:
    """Divide, nan where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full(np.broadcast(numerator, denominator).shape, np.nan), where=denominator != 0)


def rounded(value: float) -> float:
    """Round, so that parity reads 0 and 1 and not the last bits of a division; adding 0 turns -0 into 0."""
    return round(value, DIGITS) + 0.0

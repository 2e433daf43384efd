"""Estimate the accuracy of a model on unlabelled rows from its confidence.

Platt's calibration (1999) turns the confidence of an answer into the probability that it is right. It is fitted on reference rows with
known labels. The mean of these probabilities on new rows is the estimate. It is valid as long as equally confident answers are right
equally often in old and new text. On text of another kind, models are usually too confident, so the estimate is too high (`make
bench-drift` measures by how much).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.figures.figure import MINIMUM_ROWS, Figure

STEPS = 25  # of Newton's method
PRIOR = 1.0  # precision of the prior of both coefficients around 0 and 1, so that a sample without errors has finite coefficients
LEAST = 1e-6  # probabilities nearer to 0 or 1 count as this near


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """The accuracy on reference rows, its estimate on new rows, and the estimate minus the accuracy, with 95 % intervals."""

    reference: Figure
    estimated: Figure
    change: Figure


def estimate_accuracy(confidence: Array, right: Array, new: Array, seed: int, resamples: int = 500, level: float = 0.95) -> Accuracy:
    """Estimate the accuracy on new rows.

    Args:
        confidence: the probability of the predicted label in reference rows, [rows].
        right: whether the predicted label is right, bool [rows].
        new: the probability of the predicted label in new rows, [rows].
        seed: the seed of the resamples.
        resamples: bootstrap resamples of the rows of both samples; each fits the calibration again.
        level: the share of the resamples that an interval holds.
    """
    generator = np.random.default_rng(seed)
    old_counts, new_counts = (
        np.vstack([np.ones(rows), generator.multinomial(rows, np.full(rows, 1 / rows), size=resamples)])
        for rows in (len(confidence), len(new))
    )
    slopes, offsets = fit_calibration(confidence, right, old_counts)
    chances = _sigmoid(offsets[:, None] + slopes[:, None] * _logit(new)[None, :])
    estimates = (chances * new_counts).sum(axis=1) / len(new)
    accuracies = old_counts @ right.astype(np.float64) / len(right)
    ends = [(1 - level) / 2, (1 + level) / 2]

    def figure(values: Array, rows: int) -> Figure:
        low, high = np.quantile(values[1:], ends)
        return Figure.measured(float(values[0]), float(low), float(high), rows=rows, rows_needed=MINIMUM_ROWS)

    fewest = min(len(right), len(new))
    return Accuracy(figure(accuracies, len(right)), figure(estimates, len(new)), figure(estimates - accuracies, fewest))


def fit_calibration(confidence: Array, right: Array, counts: Array) -> tuple[Array, Array]:
    """Return the slopes and offsets of logistic regressions of being right on the logit of the confidence, both float64 [resamples].

    Args:
        confidence: the probability of the predicted label, [rows].
        right: whether the predicted label is right, bool [rows].
        counts: how often each row is in each resample, [resamples, rows].
    """
    inputs = _logit(confidence)
    slopes, offsets = np.ones(len(counts)), np.zeros(len(counts))
    for _ in range(STEPS):
        chances = _sigmoid(offsets[:, None] + slopes[:, None] * inputs[None, :])
        errors = counts * (right[None, :] - chances)
        weights = counts * chances * (1 - chances)
        gradient = errors.sum(axis=1) - PRIOR * offsets, errors @ inputs - PRIOR * (slopes - 1)
        curvature = weights.sum(axis=1) + PRIOR, weights @ inputs, weights @ inputs**2 + PRIOR
        determinant = curvature[0] * curvature[2] - curvature[1] ** 2
        offsets = offsets + (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant
        slopes = slopes + (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant
    return slopes, offsets


def _logit(probability: Array) -> Array:
    clipped = np.clip(np.asarray(probability, dtype=np.float64), LEAST, 1 - LEAST)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -40, 40))))

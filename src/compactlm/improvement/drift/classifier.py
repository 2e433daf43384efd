"""A classifier that tells two samples apart, cross-fitted at once for thousands of labelings of the same rows.

The area under the ROC curve of a classifier that was fitted on other rows measures how far two samples differ (Lopez-Paz and Oquab
2017, https://arxiv.org/abs/1610.06545). Ridge regression on -1 and 1 is linear in its targets: the predictions for held-out rows are one
matrix times the targets, so many labelings cost one product of matrices.
"""

from __future__ import annotations

import numpy as np

from compactlm.bert.arrays import Array

FOLDS = 10
PENALTY = 1.0  # of the weights, relative to the mean variance of a component times the number of rows


def held_out_weights(vectors: Array, seed: int, folds: int = FOLDS, penalty: float = PENALTY) -> Array:
    """Return the matrix that turns the targets of all rows into out-of-fold predictions, float64 [rows, rows].

    The predictions of a fold depend only on targets of other folds. The intercept is not penalised.

    Args:
        vectors: one vector per row, float [rows, width].
        seed: the seed of the folds.
        folds: the number of folds; fewer if there are fewer rows.
        penalty: relative strength of the ridge penalty.
    """
    rows = len(vectors)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    gram = centred.T @ centred
    strength = penalty * float(np.trace(gram)) / gram.shape[0] + 1e-9
    fitted = 1 / rows + centred @ np.linalg.solve(gram + strength * np.eye(len(gram)), centred.T)
    weights = np.empty((rows, rows))
    order = np.random.default_rng(seed).permutation(rows)
    for own in np.array_split(order, min(folds, rows)):
        # Held-out predictions of a linear smoother: the fit without the rows of a fold follows from the fit with them.
        residuals = -fitted[own]
        residuals[np.arange(len(own)), own] += 1
        weights[own] = -np.linalg.solve(np.eye(len(own)) - fitted[np.ix_(own, own)], residuals)
        weights[own, own] += 1
    return weights


def areas(weights: Array, labelings: Array, at_once: int = 256) -> Array:
    """Return the area under the ROC curve of the held-out predictions for each labeling, float64 [labelings].

    Args:
        weights: the result of `held_out_weights`, [rows, rows].
        labelings: whether each row belongs to the second sample, bool [labelings, rows]. Each labeling has rows of both samples.
        at_once: the number of labelings whose predictions are in memory at once.
    """
    found = np.empty(len(labelings))
    for start in range(0, len(labelings), at_once):
        chosen = labelings[start : start + at_once]
        predictions = weights @ np.where(chosen, 1.0, -1.0).T
        order = np.argsort(predictions, axis=0, kind="stable")
        ranks = np.empty_like(predictions)
        np.put_along_axis(ranks, order, np.arange(1.0, len(predictions) + 1)[:, None], axis=0)
        new = chosen.sum(axis=1)
        sums = np.einsum("nl,ln->l", ranks, chosen.astype(np.float64))
        found[start : start + at_once] = (sums - new * (new + 1) / 2) / (new * (chosen.shape[1] - new))
    return found


def area_interval(old: Array, new: Array, seed: int, resamples: int = 1000, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return the area under the ROC curve of two samples of scores, with its percentile interval over resamples of both.

    Ties count as half.

    Args:
        old: scores of the first sample, [rows].
        new: scores of the second sample, [rows].
        seed: the seed of the resamples.
        resamples: number of resamples.
        confidence: share of the resamples within the interval.
    """
    above = (new[:, None] > old[None, :]) + 0.5 * (new[:, None] == old[None, :])
    generator = np.random.default_rng(seed)
    drawn = [generator.multinomial(len(side), np.full(len(side), 1 / len(side)), size=resamples).astype(np.float64) for side in (old, new)]
    values = ((drawn[1] @ above) * drawn[0]).sum(axis=1) / above.size
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(above.mean()), float(low), float(high)

"""Several labels a row: metrics of many resamples at once, and thresholds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compactlm.tasks.measures.ranking import average_precision, divide

Array = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
METRICS = ("mean_average_precision", "macro_f1", "micro_f1")
MINIMUM_POSITIVES = 5  # with fewer validation rows the best threshold of a label is due to chance


def metrics(expected: Marks, scores: Array, weights: Array, threshold: float = 0.5) -> dict[str, Array]:
    """Return METRICS of each resample, float64 [resamples].

    The means are over labels that occur among the rows, and that of the average precision over those that occur in the resample.

    Args:
        expected: which labels each row has, bool [rows, labels].
        scores: the probability of each label, float64 [rows, labels].
        weights: how often each row occurs in each resample, float64 [resamples, rows].
        threshold: the probability from which a row gets a label.
    """
    present = np.flatnonzero(expected.any(axis=0))
    precisions = [average_precision(expected[:, label], scores[:, label], weights) for label in present]
    given = scores >= threshold
    right, actual, said = (weights @ marks.astype(np.float64) for marks in (expected & given, expected, given))
    f1 = divide(2 * right, actual + said, 0.0)[:, present]
    return {
        "mean_average_precision": _mean_of_known(precisions, len(weights)),
        "macro_f1": f1.mean(axis=1) if len(present) else np.full(len(weights), np.nan),
        "micro_f1": divide(2 * right.sum(axis=1), (actual + said).sum(axis=1), np.nan),
    }


def best_constant(expected: Marks, weights: Array, metric: str) -> Array:
    """Return the metric of the best answer that is the same for all rows, float64 [resamples].

    The average precision of equal scores is the share of rows with the label. The F1 of a label is highest if all rows get it. For the
    micro-averaged F1 the most frequent labels are given, as many as are best on all rows.
    """
    shares = divide(weights @ expected.astype(np.float64), np.repeat(weights.sum(axis=1, keepdims=True), expected.shape[1], axis=1), np.nan)
    present = expected.any(axis=0)
    if not present.any():
        return np.full(len(weights), np.nan)
    if metric == "mean_average_precision":
        return _mean_of_known(list(np.where(shares > 0, shares, np.nan)[:, present].T), len(weights))
    if metric == "macro_f1":
        return (2 * shares / (1 + shares))[:, present].mean(axis=1)
    overall = expected.mean(axis=0)
    order = np.argsort(-overall, kind="stable")
    options = 2 * np.cumsum(overall[order]) / (np.arange(1, len(order) + 1) + overall.sum())
    chosen = order[: int(options.argmax()) + 1]
    return divide(2 * shares[:, chosen].sum(axis=1), len(chosen) + shares.sum(axis=1), np.nan)


def best_thresholds(expected: Marks, logits: Array) -> Array:
    """Return the logit of each label from which its F1 is highest, float64 [labels]; of several the one nearest to 0.

    It is 0, a probability of a half, for a label of fewer than MINIMUM_POSITIVES rows, or of all rows but as few.
    """
    return np.array([_best_threshold(expected[:, label], logits[:, label]) for label in range(expected.shape[1])])


def _best_threshold(positive: Marks, logits: Array) -> float:
    if min(positive.sum(), len(positive) - positive.sum()) < MINIMUM_POSITIVES:
        return 0.0
    values, groups = np.unique(logits, return_inverse=True)
    # The rows with a label, and all rows, whose logit is at least each value.
    right, said = (np.cumsum(np.bincount(groups, marks, len(values))[::-1])[::-1] for marks in (positive.astype(np.float64), None))
    f1 = 2 * right / (said + positive.sum())
    # Any threshold above the value below and up to the value itself gives the same labels.
    lows = np.concatenate([[values[0] - 2.0], values[:-1]])
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    if ((lows[best] < 0) & (values[best] >= 0)).any():
        return 0.0
    middles = (lows[best] + values[best]) / 2
    return float(middles[np.abs(middles).argmin()])


def _mean_of_known(columns: list[Array], resamples: int) -> Array:
    """Return the mean of the columns in each resample, without those that are nan there."""
    table = np.stack(columns) if columns else np.full((1, resamples), np.nan)
    known = np.isfinite(table)
    return divide(np.where(known, table, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64), np.nan)

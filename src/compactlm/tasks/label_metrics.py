"""The metrics of a classifier on labelled rows, by scikit-learn and for many resamples at once.

Both functions give the same figures for the same rows (the tests compare them). The first gives the reported values. The second gives the
intervals, for which scikit-learn has no function.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, f1_score, log_loss, matthews_corrcoef, roc_auc_score

from compactlm.tasks.measures.ranking import divide

METRICS = ("accuracy", "macro_f1", "matthews", "auroc", "log_loss", "calibration_error")

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]


def task_metrics(expected: Labels, probabilities: Array, bins: int) -> dict[str, float]:
    """Return METRICS of one model.

    Args:
        expected: label ids [rows].
        probabilities: the probabilities of each label, float64 [rows, labels].
        bins: the bins of the calibration error.

    Returns:
        accuracy, macro F1 (over the labels that occur), the Matthews correlation, the area under the ROC curve (nan where
        one label alone occurs; with more than two labels the mean of one against the rest), the logarithmic loss in nats,
        and the expected calibration error (`calibration_gaps`).
    """
    predicted = probabilities.argmax(axis=1)
    areas = [roc_auc_score(expected == label, probabilities[:, label]) for label in _ranked_labels(expected, probabilities.shape[1])]
    return {
        "accuracy": float(accuracy_score(expected, predicted)),
        "macro_f1": float(f1_score(expected, predicted, labels=np.unique(expected), average="macro", zero_division=0)),
        "matthews": float(matthews_corrcoef(expected, predicted)) if len({*expected, *predicted}) > 1 else 0.0,
        "auroc": float(np.mean(areas)) if areas else float("nan"),
        "log_loss": float(log_loss(expected, probabilities, labels=range(probabilities.shape[1]))),
        "calibration_error": float(np.abs(calibration_gaps(expected, probabilities, bins).sum(axis=0)).sum() / len(expected)),
    }


def resampled_task_metrics(expected: Labels, probabilities: Array, weights: Array, bins: int) -> dict[str, Array]:
    """Return METRICS for each of several resamples, float64 [resamples].

    Args:
        expected: label ids [rows].
        probabilities: the probabilities of each label, float64 [rows, labels].
        weights: how often each row occurs in each resample, float64 [resamples, rows].
        bins: the bins of the calibration error.
    """
    rows, labels = probabilities.shape
    total = weights.sum(axis=1)
    names = np.arange(labels)
    is_label, is_predicted = expected[:, None] == names, probabilities.argmax(axis=1)[:, None] == names
    actual, predicted, right = (weights @ marks.astype(np.float64) for marks in (is_label, is_predicted, is_label & is_predicted))
    # A label that neither occurs in a resample nor is predicted has an F1 of 0, as with zero_division=0 of scikit-learn.
    f1 = divide(2 * right, actual + predicted, 0.0)[:, np.unique(expected)]
    covariance = right.sum(axis=1) * total - (actual * predicted).sum(axis=1)
    spread = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    areas = [_areas(expected == label, probabilities[:, label], weights) for label in _ranked_labels(expected, labels)]
    epsilon = np.finfo(np.float64).eps
    losses = -np.log(np.clip(probabilities[np.arange(rows), expected], epsilon, 1 - epsilon))
    return {
        "accuracy": right.sum(axis=1) / total,
        "macro_f1": f1.mean(axis=1),
        "matthews": divide(covariance, np.sqrt(spread), 0.0),
        "auroc": np.mean(areas, axis=0) if areas else np.full(len(weights), np.nan),
        "log_loss": weights @ losses / total,
        "calibration_error": np.abs(weights @ calibration_gaps(expected, probabilities, bins)).sum(axis=1) / total,
    }


def calibration_gaps(expected: Labels, probabilities: Array, bins: int) -> Array:
    """Return each row's part of the expected calibration error, float64 [rows, bins].

    Rows are put into bins of equal width by the probability of their predicted label; the error is the sum over bins of
    |accuracy - mean probability|, weighted by rows (Guo et al. 2017, On Calibration of Modern Neural Networks).
    """
    confidence = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == expected).astype(np.float64)
    gaps = np.zeros((len(expected), bins))
    gaps[np.arange(len(expected)), np.minimum((confidence * bins).astype(int), bins - 1)] = right - confidence
    return gaps


def _ranked_labels(expected: Labels, labels: int) -> list[int]:
    """Return the labels whose rows can be ranked against the others; of two labels, one is enough."""
    present = [int(label) for label in np.unique(expected)]
    if len(present) < 2:
        return []
    return [1] if labels == 2 else present


def _areas(positive: npt.NDArray[np.bool_], scores: Array, weights: Array) -> Array:
    """Return the area under the ROC curve of each resample, [resamples]; ties count half; nan without both kinds of row."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    ups = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    downs = np.add.reduceat((weights * ~positive)[:, order], starts, axis=1)
    below = np.cumsum(downs, axis=1) - downs / 2
    return divide((ups * below).sum(axis=1), ups.sum(axis=1) * downs.sum(axis=1), np.nan)

"""The names of the metrics of tasks, and how their values are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compactlm.figures.numbers import percent, plain, points, words

NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "matthews": "Matthews correlation",
    "auroc": "area under the ROC curve",
    "log_loss": "log loss, nats",
    "calibration_error": "calibration error",
    "mean_average_precision": "mean average precision",
    "spearman": "Spearman correlation",
    "pearson": "Pearson correlation",
    "mean_absolute_error": "mean absolute error",
    "entity_f1": "F1 of entities",
    "entity_precision": "precision of entities",
    "entity_recall": "recall of entities",
    "token_accuracy": "accuracy of words",
    "exact_match": "exact match",
    "f1": "F1",
}
SHARES = ("accuracy", "exact_match", "token_accuracy")  # shown in percent


def metric_name(metric: str) -> str:
    """Return the name of a metric as people read it."""
    return NAMES.get(metric, words(metric))


def shown(metric: str) -> Callable[[Any], str]:
    """Return the function that writes a value of a metric."""
    return percent if metric in SHARES else plain


def shown_difference(metric: str) -> Callable[[Any], str]:
    """Return the function that writes a difference of two values of a metric."""
    return points if metric in SHARES else plain

"""Holm's correction for multiple checks. Without it, some of many checks would be violated by chance alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from scipy.stats import norm

from compactlm.figures.figure import Figure, Status, find_figures


def correct(metrics: Mapping[str, Any], confidence: float) -> dict[str, Any]:
    """Return nested metrics in which violations that do not hold after the correction for all judged checks become undecided.

    The step-down procedure of Holm (1979, https://www.jstor.org/stable/4615733) keeps the probability of any false violation at or below (1
    - confidence) / 2, which is the share of the resamples on each side of an interval. Figures that are ok stay ok. They need no
    correction, because each figure must show on its own that it is within its limit.

    Args:
        metrics: figures with intervals of the same confidence.
        confidence: the confidence, 0 to 1.
    """
    checks = [(path, figure) for path, figure in find_figures(metrics) if figure.limit is not None and figure.judged]
    violated = sorted(((tail(figure, confidence), path) for path, figure in checks if figure.status is Status.VIOLATED))
    kept: set[tuple[str, ...]] = set()
    for rank, (probability, path) in enumerate(violated):
        if probability > (1 - confidence) / 2 / (len(checks) - rank):
            break
        kept.add(path)
    return _undecided(metrics, {path for _, path in violated} - kept, ())


def tail(figure: Figure, confidence: float) -> float:
    """Return the p-value: the probability of a figure at least as far beyond its limit if the true value lies on the limit.

    The standard error is computed from the bound of the interval that faces the limit, for a normal distribution.
    """
    value, low, high, limit = figure.value, figure.low, figure.high, figure.limit
    if value is None or low is None or high is None or limit is None:
        raise ValueError("a figure without an interval or a limit has no such probability")
    if limit.high is not None and value > limit.high:
        gap, side = value - limit.high, value - low
    else:
        gap, side = (limit.low or 0.0) - value, high - value
    if side <= 0:
        return 0.0
    return float(norm.sf(gap / side * norm.ppf((1 + confidence) / 2)))


def _undecided(metrics: Any, paths: set[tuple[str, ...]], path: tuple[str, ...]) -> Any:
    if isinstance(metrics, Figure):
        return dataclasses.replace(metrics, status=Status.UNDECIDED) if path in paths else metrics
    if isinstance(metrics, Mapping):
        return {key: _undecided(value, paths, (*path, key)) for key, value in metrics.items()}
    return metrics

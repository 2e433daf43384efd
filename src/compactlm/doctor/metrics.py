"""Test by the paired bootstrap whether a task's metric is above that of the best constant answer, or of other answers.

For tasks with one label per row, the exact tests of compactlm.doctor.chance are used instead.
"""

from __future__ import annotations

import numpy as np

from compactlm.doctor.chance import SIGNIFICANCE
from compactlm.doctor.examined import TaskRun
from compactlm.figures.bootstrap import Array, Resampler
from compactlm.figures.metric_names import metric_name, shown

RESAMPLES = 1000


def value(task: TaskRun, role: str) -> float:
    """Return the metric of a role on the validation rows; nan if it is not defined, such as the correlation of equal answers."""
    return float(_measured(task, role, np.ones((1, len(task.rows("validation")))))[0])


def chance(task: TaskRun) -> float:
    """Return the metric of the best constant answer on the validation rows."""
    rows = task.rows("validation")
    return float(task.kind.chance(rows, task.task, np.ones((1, len(rows))))[0])


def beats_chance(task: TaskRun, role: str) -> bool:
    """Return whether the metric is above that of the best constant answer in nearly all resamples."""
    rows = task.rows("validation")
    return _above(*((_measured(task, role, drawn), task.kind.chance(rows, task.task, drawn)) for drawn in _resamples(task)))


def is_better(task: TaskRun, first: str, second: str) -> bool:
    """Return whether the metric of the first role is above that of the second in nearly all resamples of the same rows."""
    return _above(*((_measured(task, first, drawn), _measured(task, second, drawn)) for drawn in _resamples(task)))


def sentence(task: TaskRun, role: str) -> str:
    """Describe the metric of a role next to that of the best constant answer."""
    number, write = value(task, role), shown(task.task.metric)
    known = "none" if np.isnan(number) else write(number)
    return (
        f"{metric_name(task.task.metric)} {known} on the validation rows; the best answer that is always the same has {write(chance(task))}"
    )


def _measured(task: TaskRun, role: str, weights: Array) -> Array:
    answers, settings = task.said(role)
    return task.kind.measure(answers, task.rows("validation"), task.task, weights, settings)[task.task.metric]


def _resamples(task: TaskRun) -> list[Array]:
    return list(Resampler(RESAMPLES, task.run.params.seed).draw(np.ones(len(task.rows("validation")))))


def _above(*pairs: tuple[Array, Array]) -> bool:
    # A resample in which the first metric has no value shows nothing.
    higher = np.concatenate([np.nan_to_num(first, nan=-np.inf) > np.nan_to_num(second, nan=-np.inf) for first, second in pairs])
    return bool(1 - higher.mean() < SIGNIFICANCE)

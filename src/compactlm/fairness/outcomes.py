"""The outcomes that a bias audit compares between groups: the share of rows with a label, or the mean of a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from compactlm.artifacts import Document
from compactlm.figures.bootstrap import Array
from compactlm.params import BiasAudit, Task
from compactlm.tasks import kind_of

SCORE = "score"
TAGGED_WORDS = "tagged_words"


def outcome_name(settings: BiasAudit, name: str, task: Task) -> str:
    """Return the name of the outcome that the gate checks in the task `name`: its favourable label, SCORE or TAGGED_WORDS."""
    favorable = settings.favorable_labels.get(name, "")
    if kind_of(task).has_favourable:
        return favorable
    return favorable or TAGGED_WORDS if "tags" in kind_of(task).fields else SCORE


def outcome_in_words(task: Task, outcome: str) -> str:
    """Describe the base rate of an outcome, for a heading."""
    if kind_of(task).has_favourable:
        return f"the share of them with the label {outcome}"
    if "tags" in kind_of(task).fields:
        of = "a tag" if outcome == TAGGED_WORDS else f"a tag {outcome}"
        return f"the mean share of their words with {of}"
    return "their mean score, from 0 (the least score) to 1 (the greatest)"


def changing(task: Task) -> str:
    """Describe the number of an answer by which groups are compared, for use in a sentence."""
    if kind_of(task).has_favourable:
        return "the share of predictions that are favourable"
    return "the share of tagged words" if "tags" in kind_of(task).fields else "the score, from 0 (the least) to 1 (the greatest)"


def outcomes(rows: Sequence[Document], task: Task, outcome: str, bounds: tuple[float, float] | None = None) -> dict[str, Array] | None:
    """Return each row's number from 0 to 1, by the name of the outcome; None if the kind of the task has no outcome.

    For each label, a row has the number 1 or 0. Scores are scaled to 0 and 1 by `bounds`, so that disparate impact and statistical parity
    difference mean the same for scores as for labels.

    Args:
        rows: labelled rows of the task.
        task: the task.
        outcome: the name of the outcome that the gate checks.
        bounds: the smallest and the largest score, if there are scores; None takes those of the rows.
    """
    kind = kind_of(task)
    if kind.has_favourable:
        found = {label: kind.outcome(None, rows, task, label) for label in task.labels}
        return {label: values for label, values in found.items() if values is not None} or None
    named = None if outcome in (SCORE, TAGGED_WORDS) else outcome
    values = kind.outcome(None, rows, task, named)
    if values is None:
        return None
    if outcome == SCORE:
        least, greatest = bounds or score_bounds(values)
        values = (values - least) / (greatest - least)
    return {outcome: np.asarray(values, np.float64)}


def answered(answers: Any, rows: Sequence[Document], task: Task, outcome: str, bounds: tuple[float, float] | None = None) -> Array | None:
    """Return the number of each of a model's answers, from 0 to 1; None if the kind of the task has no outcome.

    Scores are scaled by `bounds`, the smallest and the largest score; None takes those of the rows. Scores outside this range are clipped
    to it.
    """
    kind = kind_of(task)
    values = kind.outcome(answers, rows, task, None if outcome in (SCORE, TAGGED_WORDS) else outcome)
    if values is None or outcome != SCORE:
        return values
    least, greatest = bounds or score_bounds(kind.outcome(None, rows, task, None))
    return np.clip((values - least) / (greatest - least), 0.0, 1.0)


def not_audited(task: Task) -> str:
    """Return the reason why a kind of task without an outcome cannot be audited."""
    return f"the answers of a task of the kind {task.kind} are neither favourable nor numbers that groups can be compared by"


def score_bounds(values: Array | None) -> tuple[float, float]:
    """Return the smallest and the largest of some numbers. They always differ, even if all numbers are equal or there are none."""
    if values is None or not len(values):
        return 0.0, 1.0
    least, greatest = float(values.min()), float(values.max())
    return least, greatest if greatest > least else least + 1.0

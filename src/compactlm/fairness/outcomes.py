"""What a bias audit compares between groups, by the kind of a task: how often rows have a label, or the mean of a number."""

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
    """Return the name of the outcome that the gate judges in the task `name`: its favourable label, SCORE or TAGGED_WORDS."""
    favorable = settings.favorable_labels.get(name, "")
    if kind_of(task).has_favourable:
        return favorable
    return favorable or TAGGED_WORDS if "tags" in kind_of(task).fields else SCORE


def outcome_in_words(task: Task, outcome: str) -> str:
    """Return what the base rate of an outcome is, for a heading."""
    if kind_of(task).has_favourable:
        return f"the share of them with the label {outcome}"
    if "tags" in kind_of(task).fields:
        of = "a tag" if outcome == TAGGED_WORDS else f"a tag {outcome}"
        return f"the mean share of their words with {of}"
    return "their mean score, from 0 (the least score) to 1 (the greatest)"


def changing(task: Task) -> str:
    """Return what the number of an answer is that groups are compared by, for a sentence."""
    if kind_of(task).has_favourable:
        return "the share of predictions that are favourable"
    return "the share of tagged words" if "tags" in kind_of(task).fields else "the score, from 0 (the least) to 1 (the greatest)"


def outcomes(rows: Sequence[Document], task: Task, outcome: str, bounds: tuple[float, float] | None = None) -> dict[str, Array] | None:
    """Return the number of each row to compare, from 0 to 1, by the name of the outcome; None if the kind of the task has none.

    A row has 1 or 0 for each label. Scores are scaled by `bounds`, the least and the greatest, so that disparate impact and statistical
    parity difference mean the same for a score of 0 and 1 as for a label.

    Args:
        rows: labelled rows of the task.
        task: the task.
        outcome: the name of the outcome that the gate judges.
        bounds: the least and the greatest score, if there are scores; None takes those of the rows.
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
    """Return the number of each answer of a model to labelled rows, from 0 to 1; None if the kind of the task has none.

    Scores are scaled by `bounds`, the least and the greatest score; None takes those of the rows. A score outside them counts as the nearer
    one.
    """
    kind = kind_of(task)
    values = kind.outcome(answers, rows, task, None if outcome in (SCORE, TAGGED_WORDS) else outcome)
    if values is None or outcome != SCORE:
        return values
    least, greatest = bounds or score_bounds(kind.outcome(None, rows, task, None))
    return np.clip((values - least) / (greatest - least), 0.0, 1.0)


def not_audited(task: Task) -> str:
    """Return why groups cannot be compared by the answers of a kind of task without an outcome."""
    return f"the answers of a task of the kind {task.kind} are neither favourable nor numbers that groups can be compared by"


def score_bounds(values: Array | None) -> tuple[float, float]:
    """Return the least and the greatest of some numbers; two different numbers also if all are equal or there are none."""
    if values is None or not len(values):
        return 0.0, 1.0
    least, greatest = float(values.min()), float(values.max())
    return least, greatest if greatest > least else least + 1.0

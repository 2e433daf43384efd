"""Faults of the fine-tuned teacher."""

from __future__ import annotations

from collections.abc import Iterator

from compactlm.doctor import metrics
from compactlm.doctor.chance import beats_chance, in_best_order, is_better
from compactlm.doctor.examined import Run, TaskRun, accuracy
from compactlm.doctor.findings import Fault, Finding

FIX = "check learning_rate and epochs under teacher.fine_tuning in params.yaml, or choose another teacher"


def check(run: Run) -> Iterator[Finding]:
    """Yield a fault for each teacher that is no better than chance, or worse than TF-IDF with logistic regression."""
    for name in run.tasks:
        task = run.task(name)
        if task.can_be_judged:
            yield from _quality(task) if task.has_one_label else _metric(task)


def _quality(task: TaskRun) -> Iterator[Finding]:
    expected = task.expected("validation")
    predicted, _ = in_best_order(expected, task.teacher, len(task.labels))  # the order of labels is a fault of its own
    own, words = (f"{100 * accuracy(expected, answers):.1f} %" for answers in (predicted, task.baseline.validation))
    if is_better(expected, task.baseline.validation, predicted):
        yield Fault(
            "teacher worse than TF-IDF",
            f"the teacher of {task.name} is right for {own} of the validation rows, and TF-IDF with logistic regression for {words}; {FIX}",
        )
    elif beats_chance(expected, task.baseline.validation) and not beats_chance(expected, predicted):
        yield Fault("teacher at chance", f"the teacher of {task.name} is no better than chance ({own} of the validation rows); {FIX}")


def _metric(task: TaskRun) -> Iterator[Finding]:
    if not metrics.beats_chance(task, "teacher"):
        yield Fault(
            "teacher at chance",
            f"the teacher of {task.name} is no better than chance ({metrics.sentence(task, 'teacher')}); check that the columns of its "
            f"sources belong to the same row, {FIX}",
        )

"""Teacher and student on the same labelled rows: figures with intervals, and whether the two differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from scipy.stats import binomtest

from compactlm.evaluation.task_metrics import METRICS, Labels, resampled_task_metrics, task_metrics
from compactlm.figures.intervals import Array, Estimate, percentile_interval, resampled_weights, share
from compactlm.figures.judging import judged

ROLES = ("teacher", "student")


@dataclasses.dataclass(frozen=True)
class Answers:
    """What both models say of the same rows of a task.

    Attributes:
        ids: of the rows [rows].
        texts: of the rows [rows].
        sources: of the rows [rows].
        expected: label ids [rows].
        probabilities: of each label, by role, float64 [rows, labels].
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    sources: tuple[str, ...]
    expected: Labels
    probabilities: Mapping[str, Array]

    def predicted(self, role: str) -> Labels:
        """Return the label ids that a model predicts [rows]."""
        return self.probabilities[role].argmax(axis=1)

    def right(self, role: str) -> Array:
        """Return 1.0 for each row that a model has right, else 0.0 [rows]."""
        return (self.predicted(role) == self.expected).astype(np.float64)


def compare_quality(answers: Answers, resamples: int, bins: int, seed: int) -> dict[str, object]:
    """Return METRICS of teacher and student with 95 % intervals, their differences, and tests of these.

    Args:
        answers: of both models.
        resamples: of the paired bootstrap: each resample holds the same rows for both models.
        bins: of the calibration error.
        seed: of the resamples.

    Returns:
        `teacher` and `student` (each of METRICS with value, low and high), `difference` (student minus teacher, likewise),
        `retention` of accuracy and `agreement`, the share of rows that both give the same label, likewise, `mcnemar`, and `judged`.
    """
    expected = answers.expected
    values = {role: task_metrics(expected, answers.probabilities[role], bins) for role in ROLES}
    drawn: dict[str, dict[str, list[Array]]] = {role: {name: [] for name in METRICS} for role in ROLES}
    for weights in resampled_weights(len(expected), resamples, seed):
        for role in ROLES:
            for name, figures in resampled_task_metrics(expected, answers.probabilities[role], weights, bins).items():
                drawn[role][name].append(figures)
    resampled = {role: {name: np.concatenate(parts) for name, parts in drawn[role].items()} for role in ROLES}
    teacher, student = values["teacher"], values["student"]
    found: dict[str, object] = {
        role: {name: percentile_interval(values[role][name], resampled[role][name]).as_metrics() for name in METRICS} for role in ROLES
    }
    found["difference"] = {
        name: percentile_interval(student[name] - teacher[name], resampled["student"][name] - resampled["teacher"][name]).as_metrics()
        for name in METRICS
    }
    found["retention"] = _retention(values, resampled).as_metrics()
    same = answers.predicted("teacher") == answers.predicted("student")
    found["agreement"] = share(int(same.sum()), len(same)).as_metrics()
    found["mcnemar"] = mcnemar(answers)
    found["judged"] = judged(len(expected))
    return found


def _retention(values: Mapping[str, Mapping[str, float]], resampled: Mapping[str, Mapping[str, Array]]) -> Estimate:
    above, below = resampled["student"]["accuracy"], resampled["teacher"]["accuracy"]
    drawn = np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0)
    teacher = values["teacher"]["accuracy"]
    return percentile_interval(values["student"]["accuracy"] / teacher if teacher else float("nan"), drawn)


def mcnemar(answers: Answers) -> dict[str, float]:
    """Return the exact McNemar test (McNemar 1947) of whether the two models' accuracies differ.

    Only rows that one model alone has right tell the two apart; if they were equally good, each such row would be a coin.

    Returns:
        `teacher_alone` and `student_alone`, the rows that only this model has right, and the two-sided `p`.
    """
    teacher, student = answers.right("teacher"), answers.right("student")
    alone = {"teacher_alone": int((teacher > student).sum()), "student_alone": int((student > teacher).sum())}
    differing = sum(alone.values())
    p = binomtest(alone["student_alone"], differing).pvalue if differing else 1.0
    return {**alone, "p": float(p)}

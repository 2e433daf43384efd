"""Teacher and student on the same labelled rows: the answers of both, their quality, and whether the two differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from scipy.stats import binomtest

from compactlm.evaluation.limits import CALIBRATION, SIGNIFICANT
from compactlm.figures.bootstrap import Array, Resampler, share
from compactlm.figures.figure import MINIMUM_ROWS
from compactlm.tasks.label_metrics import METRICS, Labels, resampled_task_metrics, task_metrics

ROLES = ("teacher", "student")


@dataclasses.dataclass(frozen=True)
class Answers:
    """The answers of both models to the same rows of a task.

    Attributes:
        ids: the ids of the rows [rows].
        texts: the texts of the rows [rows].
        sources: the sources of the rows [rows].
        expected: label ids [rows].
        probabilities: the probabilities of each label, by role, float64 [rows, labels].
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


def compare_quality(answers: Answers, bins: int, resampler: Resampler) -> dict[str, object]:
    """Return METRICS of teacher and student, their differences, and a test of the difference.

    The bootstrap is paired: each resample holds the same rows for both models.

    Returns:
        `teacher`, `student` and `difference` (student minus teacher) by METRICS, `retention` of accuracy, `agreement` (the share of rows to
        which both give the same label), and `mcnemar`.
    """
    expected = answers.expected
    values = {role: task_metrics(expected, answers.probabilities[role], bins) for role in ROLES}
    drawn: dict[str, dict[str, list[Array]]] = {role: {name: [] for name in METRICS} for role in ROLES}
    for weights in resampler.draw(np.ones(len(expected))):
        for role in ROLES:
            for name, figures in resampled_task_metrics(expected, answers.probabilities[role], weights, bins).items():
                drawn[role][name].append(figures)
    resampled = {role: {name: np.concatenate(parts) for name, parts in drawn[role].items()} for role in ROLES}
    values["difference"] = {name: values["student"][name] - values["teacher"][name] for name in METRICS}
    resampled["difference"] = {name: resampled["student"][name] - resampled["teacher"][name] for name in METRICS}
    about = {"rows": len(expected), "rows_needed": MINIMUM_ROWS}
    same = answers.predicted("teacher") == answers.predicted("student")
    measured = {
        name: {metric: resampler.figure(values[name][metric], resampled[name][metric], **about) for metric in METRICS} for name in values
    }
    measured["student"]["calibration_error"] = measured["student"]["calibration_error"].with_limit(CALIBRATION)
    return {
        **measured,
        "retention": resampler.ratio(answers.right("student"), answers.right("teacher"), **about),
        "agreement": share(int(same.sum()), len(same), resampler.confidence, rows_needed=MINIMUM_ROWS),
        "mcnemar": mcnemar(answers),
    }


def mcnemar(answers: Answers) -> dict[str, float]:
    """Return the exact McNemar test (McNemar 1947) of whether the two models' accuracies differ.

    The test counts the rows that only one model has right. Between equally good models, either model has such a row with probability 0.5.

    Returns:
        `teacher_alone` and `student_alone`, the rows that only this model has right, the two-sided `p`, and
        `significant`, which is 1 if `p` is below SIGNIFICANT and 0 otherwise.
    """
    teacher, student = answers.right("teacher"), answers.right("student")
    alone = {"teacher_alone": int((teacher > student).sum()), "student_alone": int((student > teacher).sum())}
    differing = sum(alone.values())
    p = binomtest(alone["student_alone"], differing).pvalue if differing else 1.0
    return {**alone, "p": float(p), "significant": int(p < SIGNIFICANT)}

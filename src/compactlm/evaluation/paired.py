"""Compare teacher and student on the same labelled rows: their answers, their quality, and whether the difference is significant."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from compactlm.evaluation.limits import CALIBRATION, SIGNIFICANT
from compactlm.figures.bootstrap import Array, Resampler, ratio, share
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.figures.quality import headline_figures, retention, retention_above_chance
from compactlm.tasks import kind_of
from compactlm.tasks.base import Kind, Row, Settings, Task
from compactlm.tasks.label_metrics import Labels

ROLES = ("teacher", "student")


@dataclasses.dataclass(frozen=True)
class Answers:
    """The answers of both models to the same rows of a task.

    Attributes:
        task: the task.
        rows: the labelled rows.
        said: the answers by role, as Kind.answers returns them.
        settings: the config.json of each model, by role.
    """

    task: Task
    rows: tuple[Row, ...]
    said: Mapping[str, Any]
    settings: Mapping[str, Settings] = dataclasses.field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """The kind of the task."""
        return kind_of(self.task)

    @functools.cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the rows [rows]."""
        return tuple(row.id for row in self.rows)

    @functools.cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts of the rows [rows]."""
        return tuple(row.text for row in self.rows)

    @functools.cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources of the rows [rows]."""
        return tuple(row.source for row in self.rows)

    @functools.cached_property
    def expected(self) -> Labels:
        """The label ids of the rows of a classification [rows]."""
        return np.array([self.task.labels.index(str(row.label)) for row in self.rows], dtype=np.int64)

    @property
    def probabilities(self) -> Mapping[str, Array]:
        """The probabilities of each label of a classification, by role, float64 [rows, labels]."""
        return self.said

    def predicted(self, role: str) -> Labels:
        """Return the label ids that a model of a classification predicts [rows]."""
        predicted: Labels = self.said[role].argmax(axis=1)
        return predicted

    def right(self, role: str) -> Array:
        """Return 1.0 for each row that a model answers correctly, else 0.0 [rows]; only for kinds with right and wrong answers."""
        found = self.kind.right(self.said[role], self.rows, self.task)
        if found is None:
            raise TypeError(f"an answer of the kind {self.kind.name} is neither right nor wrong")
        return found

    @property
    def by_rows(self) -> bool:
        """Whether the task's metric is the share of rows with the right answer."""
        return self.task.metric == "accuracy"

    def measure(self, role: str, weights: Array, bins: int = 15) -> dict[str, Array]:
        """Return all metrics of a model; see Kind.measure."""
        return self.kind.measure(self.said[role], self.rows, self.task, weights, self.settings.get(role, {}), bins)

    def some(self, chosen: Sequence[int]) -> Answers:
        """Return the answers to the rows at these positions."""
        said = {role: one[list(chosen)] if isinstance(one, np.ndarray) else [one[at] for at in chosen] for role, one in self.said.items()}
        return Answers(self.task, tuple(self.rows[at] for at in chosen), said, self.settings)


def compare_quality(answers: Answers, bins: int, resampler: Resampler) -> dict[str, object]:
    """Return the metrics of teacher and student, their differences, and a test of the difference.

    The bootstrap is paired: each resample holds the same rows for both models.

    Returns:
        `teacher`, `student` and `difference` (student minus teacher) for each metric of the kind, and `retention` of the task's metric. A
        classification also has `agreement`, the share of rows to which both models give the same label. If answers are right or wrong,
        `mcnemar` tests the difference. Otherwise `bootstrap` says whether 0 is outside the confidence interval of the difference of the
        task's metric.
    """
    rows, kind = len(answers.rows), answers.kind
    values = {role: {name: float(found[0]) for name, found in answers.measure(role, np.ones((1, rows)), bins).items()} for role in ROLES}
    drawn: dict[str, dict[str, list[Array]]] = {role: {name: [] for name in kind.metrics} for role in ROLES}
    for weights in resampler.draw(np.ones(rows)):
        for role in ROLES:
            for name, figures in answers.measure(role, weights, bins).items():
                drawn[role][name].append(figures)
    resampled = {role: {name: np.concatenate(parts) for name, parts in drawn[role].items()} for role in ROLES}
    values["difference"] = {name: values["student"][name] - values["teacher"][name] for name in kind.metrics}
    resampled["difference"] = {name: resampled["student"][name] - resampled["teacher"][name] for name in kind.metrics}
    about = {"rows": rows, "rows_needed": MINIMUM_ROWS}
    measured = {
        name: {metric: resampler.figure(values[name][metric], resampled[name][metric], **about) for metric in kind.metrics}
        for name in values
    }
    if "calibration_error" in kind.metrics:
        measured["student"]["calibration_error"] = measured["student"]["calibration_error"].with_limit(CALIBRATION)
    found: dict[str, object] = {**measured, "retention": _retention(answers, values, resampled, resampler)}
    if kind.right(answers.said["student"], answers.rows, answers.task) is None:
        return {**found, "bootstrap": {"significant": int(measured["difference"][answers.task.metric].sign != 0)}}
    if kind.answer_type is None:
        same = answers.predicted("teacher") == answers.predicted("student")
        found["agreement"] = share(int(same.sum()), len(same), resampler.confidence, rows_needed=MINIMUM_ROWS)
    return {**found, "mcnemar": mcnemar(answers)}


def _retention(
    answers: Answers, values: Mapping[str, Mapping[str, float]], resampled: Mapping[str, Mapping[str, Array]], resampler: Resampler
) -> Figure:
    about = {"rows": len(answers.rows), "rows_needed": MINIMUM_ROWS}
    if answers.by_rows:
        return resampler.ratio(answers.right("student"), answers.right("teacher"), **about)
    metric = answers.task.metric
    value = float(ratio(values["student"][metric], values["teacher"][metric]))
    return resampler.figure(value, ratio(resampled["student"][metric], resampled["teacher"][metric]), **about)


def headline(answers: Answers) -> dict[str, float]:
    """Return the headline figures of a task: rows, the task's metric of both models and of chance, and both retentions.

    A classification also has `agreement`, the share of rows to which both models give the same label.
    """
    if answers.by_rows:
        return headline_figures(answers.expected.tolist(), *(answers.predicted(role).tolist() for role in ROLES))
    once, metric = np.ones((1, len(answers.rows))), answers.task.metric
    teacher, student = (float(answers.measure(role, once)[metric][0]) for role in ROLES)
    chance = float(answers.kind.chance(answers.rows, answers.task, once)[0])
    return {
        "rows": len(answers.rows),
        "teacher": teacher,
        "student": student,
        "chance": chance,
        "retention": retention(student, teacher),
        "retention_above_chance": retention_above_chance(student, teacher, chance),
    }


def mcnemar(answers: Answers) -> dict[str, float]:
    """Return the exact McNemar test (McNemar 1947) of whether the two models' accuracies differ.

    The test counts the rows that only one model answers correctly. If both models are equally good, such a row belongs to either model with
    probability 0.5.

    Returns:
        `teacher_alone` and `student_alone` (the number of rows that only this model answers correctly), the two-sided `p`, and
        `significant`, which is 1 if `p` is below SIGNIFICANT and 0 otherwise.
    """
    teacher, student = answers.right("teacher"), answers.right("student")
    alone = {"teacher_alone": int((teacher > student).sum()), "student_alone": int((student > teacher).sum())}
    differing = sum(alone.values())
    p = binomtest(alone["student_alone"], differing).pvalue if differing else 1.0
    return {**alone, "p": float(p), "significant": int(p < SIGNIFICANT)}

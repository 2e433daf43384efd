"""The results of a run, which page and card read."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from compactlm.artifacts import read_json
from compactlm.evaluation.paired import Answers
from compactlm.figures.figure import Figure, read_figures
from compactlm.params import Params

Curve = list[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Findings:
    """The output of the earlier stages. Figures with an interval are `Figure`s.

    Attributes:
        params: the parameters of the run.
        metrics: content of reports/metrics, by stage.
        timings: content of reports/timings, by stage; these numbers depend on the machine.
        answers: the answers of both models to the test rows, by task.
        curves: by phase and loss, the value at each step.
        frontier: content of reports/frontier/frontier.json; empty without that file.
        ablations: content of reports/ablations, by seed; empty without files.
        mitigation: content of reports/mitigation/mitigation.json; empty without that file.
        benchmarks: content of reports/benchmarks, by name; empty without files.
        loop: content of reports/loop, by name; empty without files.
        notices: the sentences of reports/notices.
    """

    params: Params
    metrics: Mapping[str, Any]
    timings: Mapping[str, Any]
    answers: Mapping[str, Answers]
    curves: Mapping[str, Mapping[str, Curve]]
    frontier: Mapping[str, Any]
    ablations: Mapping[str, Any]
    mitigation: Mapping[str, Any]
    benchmarks: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    loop: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notices: Sequence[str] = ()

    @property
    def tasks(self) -> dict[str, Any]:
        """The results of evaluate by task."""
        found: dict[str, Any] = self.metrics["evaluate"]["tasks"]
        return found

    @property
    def fairness(self) -> dict[str, Any]:
        """The fairness of the models; empty if no task has a protected attribute."""
        found: dict[str, Any] = self.metrics["evaluate"].get("fairness", {})
        return found

    @property
    def speed(self) -> dict[str, Any]:
        """The time and memory of each model on the machine that ran evaluate."""
        found: dict[str, Any] = self.timings.get("evaluate", {}).get("models", {})
        return found


def read_folder(directory: Path) -> dict[str, Any]:
    """Return the content of all JSON files of a directory by name; nothing if the directory does not exist."""
    return {path.stem: read_figures(read_json(path)) for path in sorted(directory.glob("*.json"))}


def read_curves(directory: Path) -> dict[str, dict[str, Curve]]:
    """Return the learning curves of DVCLive: by phase and loss, pairs of step and value."""
    found: dict[str, dict[str, Curve]] = {}
    for path in sorted(directory.glob("*/plots/metrics/*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(float(row["step"]), float(row[path.stem])) for row in csv.DictReader(file, delimiter="\t")]
        if rows:
            found.setdefault(path.parts[-4], {})[path.stem] = rows
    return found


def confusion(answers: Answers, role: str, labels: int) -> list[list[int]]:
    """Return the number of rows by actual label (outer list) and predicted label (inner list)."""
    counted: list[list[int]] = confusion_matrix(answers.expected, answers.predicted(role), labels=range(labels)).tolist()
    return counted


@dataclasses.dataclass(frozen=True)
class Bin:
    """Rows whose predicted labels have about the same probability: its mean, and the share of correct predictions."""

    confidence: float
    accuracy: Figure


def reliability(answers: Answers, role: str, bins: int) -> list[Bin]:
    """Divide rows into `bins` bins of equal width; return those with rows (Guo et al. 2017, https://arxiv.org/abs/1706.04599)."""
    confidence = answers.probabilities[role].max(axis=1)
    right = answers.right(role)
    chosen = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(float(confidence[chosen == one].mean()), Figure.over_rows(float(right[chosen == one].mean()), int(rows)))
        for one, rows in zip(*np.unique(chosen, return_counts=True), strict=True)
    ]

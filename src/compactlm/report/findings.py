"""All that a run found, as the page and the card are written from it."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compactlm.artifacts import Document, read_json
from compactlm.evaluation.paired import ROLES, Answers
from compactlm.params import Params

Curve = list[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Findings:
    """What the stages before wrote.

    Attributes:
        params: of the run.
        metrics: content of reports/metrics, by stage.
        timings: content of reports/timings, by stage: what depends on the machine.
        answers: of both models to the test rows, by task.
        curves: by phase and loss, the value at each step.
        frontier: content of reports/frontier/frontier.json; empty where there is none.
        ablations: content of reports/ablations, by seed; empty where there are none.
        mitigation: content of reports/mitigation/mitigation.json; empty where there is none.
    """

    params: Params
    metrics: Mapping[str, Any]
    timings: Mapping[str, Any]
    answers: Mapping[str, Answers]
    curves: Mapping[str, Mapping[str, Curve]]
    frontier: Mapping[str, Any]
    ablations: Mapping[str, Any]
    mitigation: Mapping[str, Any]

    @property
    def tasks(self) -> dict[str, Any]:
        """What evaluate found of each task."""
        found: dict[str, Any] = self.metrics["evaluate"]["tasks"]
        return found

    @property
    def fairness(self) -> dict[str, Any]:
        """What evaluate found of the models' fairness; empty where it looked for nothing."""
        found: dict[str, Any] = self.metrics["evaluate"].get("fairness", {})
        return found

    @property
    def speed(self) -> dict[str, Any]:
        """Times and memory of each model on the machine that ran evaluate."""
        found: dict[str, Any] = self.timings.get("evaluate", {}).get("models", {})
        return found


def read_folder(directory: Path) -> dict[str, Any]:
    """Return the content of all JSON files of a directory by name; nothing where there is no such directory."""
    return {path.stem: read_json(path) for path in sorted(directory.glob("*.json"))}


def read_curves(directory: Path) -> dict[str, dict[str, Curve]]:
    """Return the learning curves that DVCLive wrote: by phase and loss, pairs of step and value."""
    found: dict[str, dict[str, Curve]] = {}
    for path in sorted(directory.glob("*/plots/metrics/*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(float(row["step"]), float(row[path.stem])) for row in csv.DictReader(file, delimiter="\t")]
        if rows:
            found.setdefault(path.parts[-4], {})[path.stem] = rows
    return found


def answers_by_task(predictions: Iterable[Mapping[str, Any]], test: Sequence[Document], params: Params) -> dict[str, Answers]:
    """Return both models' answers to the test rows of each task, with the texts.

    Args:
        predictions: rows of data/predictions.
        test: rows of data/split/test.
        params: name the tasks and their labels.
    """
    listed, rows = list(predictions), {row.id: row for row in test}
    found = {}
    for task, settings in params.tasks.items():
        own = [row for row in listed if row["task"] == task]
        found[task] = Answers(
            ids=tuple(row["id"] for row in own),
            texts=tuple(rows[row["id"]].text for row in own),
            sources=tuple(rows[row["id"]].source for row in own),
            expected=np.array([settings.labels.index(row["label"]) for row in own], dtype=np.int64),
            probabilities={role: np.array([row[role] for row in own], dtype=np.float64) for role in ROLES},
        )
    return found


def confusion(answers: Answers, role: str, labels: int) -> list[list[int]]:
    """Return how many rows of each label (outer) a model gives each label (inner)."""
    pairs = answers.expected * labels + answers.predicted(role)
    counted: list[list[int]] = np.bincount(pairs, minlength=labels * labels).reshape(labels, labels).tolist()
    return counted


@dataclasses.dataclass(frozen=True)
class Bin:
    """Rows whose predicted label has about the same probability: the mean of it, the share that is right, and how many they are."""

    confidence: float
    accuracy: float
    rows: int


def reliability(answers: Answers, role: str, bins: int) -> list[Bin]:
    """Return the bins that hold rows, of `bins` of equal width (Guo et al. 2017, as for the calibration error)."""
    confidence = answers.probabilities[role].max(axis=1)
    right = answers.right(role)
    chosen = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(float(confidence[chosen == one].mean()), float(right[chosen == one].mean()), int((chosen == one).sum()))
        for one in np.unique(chosen)
    ]

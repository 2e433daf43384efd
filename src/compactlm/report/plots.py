"""The tables behind `dvc plots`: the same numbers as the page's, one file a series."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from compactlm.evaluation.comparison import ROLES
from compactlm.fairness.audit.data import STEPS
from compactlm.fairness.audit.models import FIGURES
from compactlm.figures.judging import judged
from compactlm.report.findings import Findings, reliability
from compactlm.report.numbers import words
from compactlm.report.sections.fairness import DATA_FIGURES
from compactlm.report.sections.text import AUGMENTATION, augmentation_figures
from compactlm.report.sections.training import comparable_shapes
from compactlm.report.sections.weakness import STRENGTHS

DIGITS = 6


@dataclasses.dataclass(frozen=True)
class PlotTable:
    """A table of tab-separated values at a path below reports/plots/report."""

    path: Path
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def plot_tables(found: Findings) -> Iterator[PlotTable]:
    """Yield all tables; those of a task lie in a directory of its name."""
    for task, answers in found.answers.items():
        labels = found.params.tasks[task].labels
        for role in ROLES:
            pairs = zip(answers.expected, answers.predicted(role), strict=True)
            rows = sorted((labels[actual], labels[predicted]) for actual, predicted in pairs)
            yield PlotTable(Path(task, f"confusion-{role}.tsv"), ("actual", "predicted"), rows)
            bins = reliability(answers, role, found.params.evaluate.calibration_bins)
            shown = [_numbers(one) for one in bins if judged(one.rows)]
            yield PlotTable(Path(task, f"reliability-{role}.tsv"), ("probability", "right", "rows"), shown)
            yield PlotTable(Path(task, f"slices-{role}.tsv"), ("slice", "accuracy"), list(_slices(found, task, role)))
            yield PlotTable(Path(task, f"robustness-{role}.tsv"), ("flaw", "kept"), list(_robustness(found, task, role)))
            yield PlotTable(Path(task, f"fairness-{role}.tsv"), ("figure", "value"), list(_fairness(found, task, role)))
        yield PlotTable(Path(task, "reliability-ideal.tsv"), ("probability", "right"), [(0.0, 0.0), (1.0, 1.0)])
        for step in STEPS:
            yield PlotTable(Path(task, f"data-{step}.tsv"), ("compared", *DATA_FIGURES), list(_data(found, task, step)))
        for kind, points in _sizes(found, task).items():
            yield PlotTable(Path(task, f"size-{kind}.tsv"), ("share", "kept", "model"), points)
    for step in AUGMENTATION:
        figures = [(name, round(value, DIGITS)) for name, value in augmentation_figures(found, step).items()]
        yield PlotTable(Path(f"diversity-{step}.tsv"), ("figure", "value"), figures)


def _numbers(one: object) -> tuple[float, ...]:
    return tuple(round(value, DIGITS) for value in dataclasses.astuple(one))  # type: ignore[call-overload]


def _slices(found: Findings, task: str, role: str) -> Iterator[tuple[str, float]]:
    for kind, parts in found.tasks[task]["slices"].items():
        for part, one in parts.items():
            if one["judged"]:
                yield f"{words(kind)}: {words(part)}", round(one[role]["value"], DIGITS)


def _robustness(found: Findings, task: str, role: str) -> Iterator[tuple[str, float]]:
    for kind, strengths in found.tasks[task]["robustness"]["perturbations"].items():
        for strength in STRENGTHS:
            kept = strengths[strength][role]["kept"]
            if "value" in kept:
                yield f"{words(kind)}, {strength}", round(kept["value"], DIGITS)


def _data(found: Findings, task: str, step: str) -> Iterator[tuple[object, ...]]:
    """Yield the judged figures of the train rows at a step of STEPS, by attribute and pair, for the favourable label."""
    for name, steps in found.metrics["bias-audit"].get(task, {}).get("attributes", {}).items():
        for pair in (key for key in steps[step] if "_to_" in key):
            one = steps[step][pair].get(found.params.bias_audit.favorable_labels[task], {})
            if one.get("judged"):
                yield f"{words(name)}, {words(pair)}", *(round(one[figure], DIGITS) for figure in DATA_FIGURES)


def _sizes(found: Findings, task: str) -> dict[str, list[tuple[object, ...]]]:
    """Return the share of the teacher's parameters and of its accuracy: of the run's two models, and of the frontier's shapes."""
    own = found.tasks[task]
    kept, share = own["student"] / own["teacher"] if own["teacher"] else 0.0, found.metrics["evaluate"]["size"]["ratio"]
    shapes = [(round(one["share"], DIGITS), round(one["retention"], DIGITS), one["name"]) for one in comparable_shapes(found)]
    return {"run": [(round(share, DIGITS), round(kept, DIGITS), "student"), (1.0, 1.0, "teacher")], "frontier": sorted(shapes)}


def _fairness(found: Findings, task: str, role: str) -> Iterator[tuple[str, float]]:
    """Yield the judged differences between groups (parity: 0); ratios have another scale and stand in the report alone."""
    for name, audit in found.fairness.get("tasks", {}).get(task, {}).items():
        for pair in (key for key in audit if "_to_" in key):
            for figure in FIGURES:
                one = audit[pair].get(figure, {})
                if one.get("judged") and figure != "disparate_impact":
                    yield f"{words(figure)}: {words(name)}, {words(pair)}", round(one[role], DIGITS)

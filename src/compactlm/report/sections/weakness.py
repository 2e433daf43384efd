"""Weaknesses: slices of the test rows, and robustness to perturbations of the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.paired import ROLES
from compactlm.figures.figure import Figure
from compactlm.figures.metric_names import metric_name, shown
from compactlm.figures.numbers import capital, count, listed, percent, words
from compactlm.report.blocks import Block, Cell, Chart, Section, Table, Text, with_headings
from compactlm.report.drawings.interval_chart import Line, Scale, draw_intervals
from compactlm.report.findings import Findings

STRENGTHS = ("light", "heavy")
CASE = "case"
UNCASED = (
    "The models are uncased: their tokenizer lowercases all text, so changes of case have no effect. Those rows say nothing about "
    "robustness, and they raise the figure over all perturbations a little."
)


def slices(found: Findings) -> Section:
    """Return the section of slices."""
    blocks = with_headings((words(name), list(_slices(found, name, task))) for name, task in found.tasks.items())
    names = sorted({metric_name(task.metric) for task in found.params.tasks.values()})
    lead = f"{capital(listed(names))} on slices of the test rows. Each row is in one slice of each kind."
    return Section("slices", "Slices", lead, blocks)


def slice_figures(task: dict[str, Any]) -> Iterator[tuple[str, dict[str, Figure]]]:
    """Yield the name and the task's metric by role of each slice with rows."""
    for kind, parts in task["slices"].items():
        for part, one in parts.items():
            if one["rows"]:
                yield f"{words(kind)}: {words(part)}", {role: one[role] for role in ROLES}


def worst(task: dict[str, Any], role: str) -> str | None:
    """Return the name of the judged slice on which a model's metric is lowest; None if no slice is judged."""
    judged = [(figures[role].value or 0.0, name) for name, figures in slice_figures(task) if figures[role].judged]
    return min(judged)[1] if judged else None


def _slices(found: Findings, name: str, task: dict[str, Any]) -> Iterator[Block]:
    lowest = {role: worst(task, role) for role in ROLES}
    metric = found.params.tasks[name].metric
    figure, show = metric_name(metric), shown(metric)
    rows: list[list[str | Cell]] = []
    lines = []
    for part, measured in slice_figures(task):
        size = measured[ROLES[0]].rows or 0
        rows.append([part, count(size), *(Cell.of(measured[role], show, part == lowest[role]) for role in ROLES)])
        if measured[ROLES[0]].judged:
            lines.append(Line(f"{part}, {size:,} rows", measured))
    title = f"{capital(figure)} by slice"
    yield Table(f"{title}, {words(name)}", ["slice", "rows", *ROLES], rows)
    if lines:
        note = "; ".join(f"worst slice of the {role}: {lowest[role]}" for role in ROLES)
        scale = Scale(figure, percent=show is percent)
        yield Chart(f"{title} on {words(name)}; {note}.", draw_intervals(f"{title} on {words(name)}", f"{note}.", scale, ROLES, lines))


def robustness(found: Findings, readers: Mapping[str, Reader]) -> Section:
    """Return the section of robustness; the tokenizers of the student's classifiers show whether they distinguish capitals."""
    parts = []
    for name, task in found.tasks.items():
        blocks = list(_robustness(metric_name(found.params.tasks[name].metric), name, task["robustness"]))
        if CASE in task["robustness"]["perturbations"] and not sees_case(readers[name]):
            blocks.append(Text(UNCASED))
        parts.append((words(name), blocks))
    strengths = found.params.evaluate.robustness.strengths
    lead = (
        f"The share of its {listed(sorted({metric_name(task.metric) for task in found.params.tasks.values()}))} that each model keeps when "
        "the same rows contain typing errors and other perturbations. "
        f"Light changes {percent(strengths.light, 0)} of the words of a row, heavy {percent(strengths.heavy, 0)}, and both at least one."
    )
    return Section("robustness", "Robustness", lead, with_headings(parts))


def sees_case(reader: Reader) -> bool:
    """Return whether a model's tokenizer distinguishes capitals from small letters."""
    return bool(reader.tokenizer.tokenize("A") != reader.tokenizer.tokenize("a"))


def robustness_figures(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each perturbation, its share of changed rows, and by role the share of the metric that is kept."""
    for kind, strengths in found["perturbations"].items():
        for strength in STRENGTHS:
            case = strengths[strength]
            yield f"{words(kind)}, {strength}", {"changed": case["changed"], **{role: case[role]["kept"] for role in ROLES}}


def _robustness(figure: str, name: str, found: dict[str, Any]) -> Iterator[Block]:
    rows: list[list[str | Cell]] = []
    lines = []
    for perturbation, case in robustness_figures(found):
        cells = [Cell.of(case[role], percent, case[role].value == found["worst"][role]["kept"].value) for role in ROLES]
        rows.append([perturbation, percent(case["changed"], 0), *cells])
        lines.append(Line(perturbation, {role: case[role] for role in ROLES}))
    over_all = {role: found["all"][role]["kept"] for role in ROLES}
    rows.append(["all perturbations", "", *(Cell.of(over_all[role], percent) for role in ROLES)])
    yield Table(f"{capital(figure)} kept on {words(name)}, {count(found['rows'])} rows", ["perturbation", "rows changed", *ROLES], rows)
    if all(figure.judged for figure in over_all.values()):
        title = f"{capital(figure)} kept under perturbations on {words(name)}"
        note = "Shaded bands show the limit of the student; " + "; ".join(
            f"the {role} keeps {percent(over_all[role].value)} over all perturbations" for role in ROLES
        )
        drawn = draw_intervals(title, f"{note}.", Scale(f"{figure} kept", reference=1.0, percent=True), ROLES, lines)
        yield Chart(f"{title}: {note}.", drawn)

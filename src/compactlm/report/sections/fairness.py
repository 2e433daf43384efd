"""Fairness: the train rows at each step, the student next to its teacher, and the status of each figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.fairness.audit import labels
from compactlm.fairness.audit.predictions import FIGURES
from compactlm.fairness.audit.training_data import STEPS
from compactlm.fairness.outcomes import changing, outcome_in_words, outcome_name
from compactlm.fairness.roles import AMPLIFICATION, DIFFERENCE, ByRole
from compactlm.figures.figure import Status
from compactlm.figures.numbers import capital, count, percent, points, words
from compactlm.params import Task
from compactlm.report.blocks import Block, Cell, Chart, Heading, Section, Table, Text
from compactlm.report.drawings.interval_chart import Line, Scale, draw_intervals
from compactlm.report.findings import Findings
from compactlm.report.sections.language import NO_HEAD, has_head
from compactlm.report.verdict import gate_sentence, gates, not_compared

RATIO = "disparate_impact"
PAIRED = "parity difference in the same rows, with the words of one group and of the privileged one"
DIFFERENCES = tuple(name for name in FIGURES if name != RATIO)


def fairness(found: Findings) -> Section:
    """Return the section."""
    settings = found.params.bias_audit
    blocks: list[Block] = [
        Text(f"{capital(gate_sentence(gate))}.", warning=gate.status in (Status.VIOLATED, Status.NOT_JUDGED)) for gate in gates(found)
    ]
    for task, audit in found.metrics["bias-audit"].items():
        for name, steps in audit["attributes"].items():
            blocks += [Heading(f"Data: {words(task)}, {words(name)}"), *_data(found, task, name, steps)]
    for task, attributes in found.fairness.get("tasks", {}).items():
        for name, audit in attributes.items():
            blocks += [Heading(f"Models: {words(task)}, {words(name)}"), *_models(found, task, name, audit)]
    blocks += [Text(sentence) for sentence in not_compared(found)]
    blocks += _stereotypes(found.fairness.get("stereotypes", {}), "" if has_head(found) else f" {NO_HEAD}")
    lead = (
        "Only rows that mention one group and no other are compared. Disparate impact is a ratio of shares (parity: 1). The other figures "
        f"are differences (parity: 0). Mitigation: {settings.mitigation}. A figure with a limit is ok if its whole confidence interval is "
        "within the limit, violated if it is outside, and undecided otherwise. A violation must hold after Holm's correction for all "
        "checks of a gate. The data gate checks the train rows at every step. "
        "The model gate checks the student, and its amplification: how much further from parity it is than its teacher "
        f"(limit: {settings.gate.model.amplification:g})."
    )
    return Section("fairness", "Fairness", lead, blocks)


def _data(found: Findings, task: str, name: str, steps: dict[str, Any]) -> Iterator[Block]:
    definition = found.params.tasks[task]
    favorable = outcome_name(found.params.bias_audit, task, definition)
    steps = {step: steps[step] for step in STEPS}  # the keys of JSON files are sorted
    captions = list(STEPS.values())
    rates: list[list[str | Cell]] = [
        [words(category), *(_rate(step, favorable, category) for step in steps.values())] for category in steps["before"]["rows"]
    ]
    caption = f"Rows, and {outcome_in_words(definition, favorable)}, {words(task)}, {words(name)}"
    yield Table(caption, ["group", *captions], rates)
    rows: list[list[str | Cell]] = []
    lines = []
    for pair in steps["before"]["pairs"]:
        for figure in labels.FIGURES:
            measured = {STEPS[step]: one["pairs"][pair][favorable][figure] for step, one in steps.items() if pair in one["pairs"]}
            cells = [Cell.of(measured[caption]) if caption in measured else Cell("") for caption in captions]
            rows.append([f"{words(pair)}: {words(figure)}", *cells])
            if figure != RATIO:
                lines.append(Line(words(pair), measured))
    yield Table(f"Bias of the label {favorable} in the train rows, {words(task)}, {words(name)}", ["figure", *captions], rows)
    yield from draw_differences(f"Statistical parity difference of the data, {words(task)}, {words(name)}", captions, lines)


def _rate(step: dict[str, Any], favorable: str, category: str) -> Cell:
    rows, share = step["rows"][category], step["base_rate"].get(favorable, {}).get(category)
    if share is None:
        return Cell(count(rows))
    cell = Cell.of(share, percent)
    return Cell(f"{count(rows)}; {cell.text}", cell.mark)


def _models(found: Findings, task: str, name: str, audit: dict[str, Any]) -> Iterator[Block]:
    rows: list[list[str | Cell]] = []
    lines = []
    for pair, measured in audit["pairs"].items():
        for figure in (one for one in FIGURES if one in measured):
            rows.append([f"{words(pair)}: {words(figure)}", *_cells(measured[figure])])
            if figure in DIFFERENCES:
                lines.append(Line(f"{words(pair)}: {words(figure)}", {role: measured[figure][role] for role in ROLES}))
    rows += _swapped(audit.get("counterfactual", {}), found.params.tasks[task])
    yield Table(f"Bias of the models on test rows, {words(task)}, {words(name)}", ["figure", *ROLES, AMPLIFICATION], rows)
    groups: list[list[str | Cell]] = []
    for category, by_role in audit.get("accuracy", audit.get("mean_outcome", {})).items():
        cells = [Cell.of(by_role[role], percent) for role in ROLES]
        groups.append([words(category), count(audit["rows"][category]), *cells, Cell.of(by_role[DIFFERENCE], points)])
    definition = found.params.tasks[task]
    outcome = outcome_in_words(definition, outcome_name(found.params.bias_audit, task, definition))
    caption = "Accuracy by group" if "accuracy" in audit else f"Answers by group, {outcome}"
    yield Table(f"{caption}, {words(task)}, {words(name)}", ["group", "rows", *ROLES, "student minus teacher"], groups)
    yield from draw_differences(f"Differences between groups, {words(task)}, {words(name)}", ROLES, lines)


def _swapped(swapped: dict[str, Any], task: Task) -> Iterator[list[str | Cell]]:
    """Yield the rows of a table about the effect of swapping the words of groups, as far as it was measured."""
    if "flips" in swapped:
        yield ["predictions that flip when the group words are swapped", *_cells(swapped["flips"])]
    if "probability_change" in swapped:
        yield ["mean change of probability by the swap", *_cells(swapped["probability_change"])]
    if "outcome_change" in swapped:
        yield [f"mean change of {changing(task)} by the swap", *_cells(swapped["outcome_change"])]
    if swapped:
        paired = swapped["paired_parity_difference"]
        yield [f"{PAIRED}, {count(paired['student'].rows)} rows", *_cells(paired)]


def _cells(by_role: ByRole) -> list[Cell]:
    """Return the cells of teacher, student and amplification. A figure that the gate does not check has no amplification."""
    more = by_role.get(AMPLIFICATION)
    without = "no limit" if by_role[ROLES[0]].value is not None else "not judged"
    return [*(Cell.of(by_role[role]) for role in ROLES), Cell.of(more) if more else Cell(without)]


def draw_differences(title: str, series: Sequence[str], lines: Sequence[Line]) -> Iterator[Chart]:
    """Yield the drawing of differences between groups, if any has a value."""
    drawn = [line for line in lines if any(figure.value is not None for figure in line.figures.values())]
    if drawn:
        note = "Shaded bands show the limits of the gate. The dashed line is parity."
        scale = Scale("difference", reference=0.0)
        yield Chart(f"{title}. {note}", draw_intervals(title, note, scale, series, drawn))


def _stereotypes(found: dict[str, Any], more: str) -> list[Block]:
    rows: list[list[str | Cell]] = []
    for name, one in found.items():
        note = "; says nothing about a saturated model" if any(one.get("saturated", {}).values()) else ""
        names = {"preference": f"stereotypical word preferred (parity: 0.5{note})", "log_odds_gap": "gap of log odds, nats (parity: 0)"}
        rows += [[f"{words(name)}: {text}", count(one["pairs"]), *_cells(one[kind])] for kind, text in names.items()]
    if not rows:
        return []
    note = f"A saturated model prefers the word of the same group for nearly every occupation.{more}"
    table = Table("Occupations and groups in the masked language models", ["figure", "sentence pairs", *ROLES, AMPLIFICATION], rows, note)
    return [Heading("Models: masked words"), table]

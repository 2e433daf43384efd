"""Fairness: the data before and after augmentation and mitigation, the student beside its teacher, and the gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.fairness.audit.predictions import FIGURES
from compactlm.fairness.audit.training_data import STEPS
from compactlm.fairness.roles import AMPLIFICATION
from compactlm.figures.judging import judged
from compactlm.params import BiasAudit, ModelLimits
from compactlm.report.blocks import Block, Cell, Chart, Heading, Section, Table, Text
from compactlm.report.drawings.intervals import Line, Scale, draw_intervals
from compactlm.report.findings import Findings
from compactlm.report.numbers import NOT_JUDGED, TOO_FEW, count, figures, gaps, named, plain, shares, words
from compactlm.report.standing import Standing, of_data, of_model, of_stereotypes
from compactlm.report.verdict import gate_sentence, gates

DATA_FIGURES = ("disparate_impact", "statistical_parity_difference")
DIFFERENCES = tuple(name for name in FIGURES if name != "disparate_impact")
SHOWN = (*ROLES, AMPLIFICATION)
OUTSIDE = "outside the limit"


def fairness(found: Findings) -> Section:
    """Return the section."""
    settings = found.params.bias_audit
    blocks: list[Block] = []
    for name, gate in gates(found).items():
        told = gate_sentence(name, gate)
        blocks.append(Text(f"{told[0].upper()}{told[1:]}. What could not be judged is no pass.", warning=not gate.get("passed")))
    for task, audit in found.metrics["bias-audit"].items():
        for name, steps in audit["attributes"].items():
            blocks += [Heading(f"Data: {words(task)}, {words(name)}"), *_data(found, task, name, steps)]
    for task, attributes in found.fairness.get("tasks", {}).items():
        for name, audit in attributes.items():
            blocks += [Heading(f"Models: {words(task)}, {words(name)}"), *_models(found, task, name, audit)]
    blocks += _stereotypes(found.fairness.get("stereotypes", {}), settings.gate.model)
    lead = (
        "Rows of one group and no other are compared. Disparate impact is a ratio of shares (parity: 1), the other figures are differences "
        f"(parity: 0). Mitigation: {settings.mitigation}. The data gate judges the rows at every step, since mitigation by weights makes "
        "the last one even by arithmetic. The model gate judges the student, and that it is no further from parity than its teacher by "
        f"more than {settings.gate.model.amplification:g}. "
        "Amplification is the student's figure minus the teacher's."
    )
    return Section("fairness", "Fairness", lead, blocks)


def _pairs(audit: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in audit.items():
        if "_to_" in key:
            yield key, value


def _data(found: Findings, task: str, name: str, steps: dict[str, Any]) -> list[Block]:
    favorable = found.params.bias_audit.favorable_labels[task]
    steps = {step: steps[step] for step in STEPS}  # files of JSON are sorted by name
    categories = steps["before"]["rows"]
    rates = [[words(category), *(_rate(part, favorable, category) for part in steps.values())] for category in categories]
    captions = [STEPS[step] for step in steps]
    blocks: list[Block] = [Table(f"Rows, and the share of them with the label {favorable}", ["group", *captions], rates)]
    compared = []
    lines = []
    for pair, _ in _pairs(steps["before"]):
        for figure in DATA_FIGURES:
            row: list[str | Cell] = [f"{words(pair)}: {words(figure)}"]
            drawn = {}
            for step, part in steps.items():
                one = part.get(pair, {}).get(favorable, {})
                known = named(one, figure)
                gated = step in judged_steps(found.params.bias_audit) and is_gated(found.params.bias_audit, name, pair)
                outside = gated and of_data(figure, known.get("value"), found.params.bias_audit.gate.data).outside
                row.append(_data_cell(figures(known), bool(one.get("judged")), outside))
                if one.get("judged"):
                    drawn[STEPS[step]] = known
            compared.append(row)
            if drawn and figure == "statistical_parity_difference":
                lines.append(Line(words(pair), drawn))
    blocks.append(Table(f"Bias of the label {favorable} in the train rows", ["figure", *captions], compared))
    if lines:
        limit = found.params.bias_audit.gate.data.statistical_parity_difference
        title = f"Statistical parity difference of the data, {words(task)}, {words(name)}"
        told = f"The shaded band, {limit:g} either way, is within the gate's limit; the dashed line is parity."
        scale = Scale("statistical parity difference", reference=0.0, limits=(-limit, limit))
        blocks.append(Chart(f"{title}. {told}", draw_intervals(title, told, scale, captions, lines)))
    return blocks


def _data_cell(text: str, is_judged: bool, outside: bool) -> str | Cell:
    if not is_judged:
        return Cell(f"{text}, no pass", "weak")
    return Cell(f"{text}, {OUTSIDE}", "worst") if outside else text


def judged_steps(settings: BiasAudit) -> list[str]:
    """Return the steps of the data that its gate judges: without mitigation, the last is the one before it."""
    return [step for step in STEPS if step != "mitigated" or settings.mitigation != "none"]


def is_gated(settings: BiasAudit, name: str, pair: str) -> bool:
    """Tell whether the gates judge a pair of groups: those with the privileged group."""
    return name not in settings.attributes or pair.endswith(f"_to_{settings.attributes[name].privileged}")


def _rate(step: dict[str, Any], favorable: str, category: str) -> str | Cell:
    rows = step["rows"][category]
    text = f"{count(rows)}; {shares(named(step['base_rate'].get(favorable, {}), category))}"
    return text if judged(rows) else Cell(f"{text}, {TOO_FEW}" if rows else "0", "weak")


def _models(found: Findings, task: str, name: str, audit: dict[str, Any]) -> list[Block]:
    limits = found.params.bias_audit.gate.model
    rows: list[list[str | Cell]] = []
    lines = []
    for pair, figures_of in _pairs(audit):
        gated = is_gated(found.params.bias_audit, name, pair)
        for figure in FIGURES:
            part = figures_of.get(figure, {})
            rows.append([f"{words(pair)}: {words(figure)}", *_cells(part, of_model(figure, part, limits) if gated else None)])
            if part.get("judged") and figure in DIFFERENCES:
                lines.append(Line(f"{words(pair)}: {words(figure)}", {role: named(part, role) for role in ROLES}))
    swapped = audit.get("counterfactual", {})
    if swapped:
        kinds = {"flips": "predictions that flip when the words are swapped", "probability_change": "mean change of probability by it"}
        for kind, text in kinds.items():
            part = {**swapped.get(kind, {}), "judged": swapped["judged"]}
            rows.append([text, *_cells(part, of_model("counterfactual_flips", part, limits) if kind == "flips" else None)])
    head = ["figure", *SHOWN]
    blocks: list[Block] = [Table(f"Bias of the models on test rows, {words(task)}, {words(name)}", head, rows)]
    groups: list[list[str | Cell]] = []
    for category, part in audit["accuracy"].items():
        texts = [*(shares(named(part, role)) for role in ROLES), gaps(named(part, AMPLIFICATION))]
        rows_of = audit["rows"][category]
        if part:
            cells = texts if judged(rows_of) else [Cell(f"{text}, {TOO_FEW}", "weak") for text in texts]
            groups.append([words(category), count(rows_of), *cells])
    blocks.append(Table(f"Accuracy by group, {words(task)}, {words(name)}", ["group", "rows", *ROLES, "difference"], groups))
    if lines:
        limit = min(getattr(limits, figure) for figure in DIFFERENCES)
        title = f"Differences between groups, {words(task)}, {words(name)}"
        told = f"The shaded band, {limit:g} either way, is within the gate's limit for the student; the dashed line is parity."
        scale = Scale("difference", reference=0.0, limits=(-limit, limit))
        blocks.append(Chart(f"{title}. {told}", draw_intervals(title, told, scale, ROLES, lines)))
    return blocks


def _cells(part: dict[str, Any], standing: Standing | None = None) -> list[str | Cell]:
    """Return a figure's cells; `standing` marks what a gate finds violated, and is None where no gate judges it."""
    if not part.get("judged"):
        return [Cell(f"{NOT_JUDGED}, no pass", "weak")] * len(SHOWN)
    teacher, student, more = (figures(named(part, role)) for role in SHOWN)
    stands = standing or Standing()
    return [
        teacher,
        Cell(f"{student}, {OUTSIDE}", "worst") if stands.outside else student,
        Cell(f"{more}, further from parity by {plain(stands.growth)}, {OUTSIDE}", "worst") if stands.amplified else more,
    ]


def _stereotypes(found: dict[str, Any], limits: ModelLimits) -> list[Block]:
    rows: list[list[str | Cell]] = []
    for name, one in found.items():
        texts = {"preference": "stereotypical word preferred (parity: 0.5)", "log_odds_gap": "gap of log odds, nats (parity: 0)"}
        if any(one.get("saturated", {}).values()):
            texts["preference"] += "; says nothing where one group's word is likelier whatever the occupation"
        for kind, text in texts.items():
            part = {**one.get(kind, {}), "judged": one["judged"]}
            rows.append([f"{words(name)}: {text}", count(one["pairs"]), *_cells(part, of_stereotypes(kind, one, limits))])
    if not rows:
        return []
    table = Table("Occupations and groups in the masked language models", ["figure", "sentence pairs", *SHOWN], rows)
    return [Heading("Models: masked words"), table]

"""Where the models are weak: slices of the test rows, and flaws of everyday writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.evaluation.reading import Reader
from compactlm.report.blocks import Block, Cell, Chart, Heading, Section, Table, Text
from compactlm.report.drawings.intervals import Line, Scale, draw_intervals
from compactlm.report.findings import Findings
from compactlm.report.numbers import TOO_FEW, count, percent, shares, words

STRENGTHS = ("light", "heavy")
CASE = "case"
UNCASED = (
    "The models are uncased: their tokenizer makes all letters small before it reads them, so that changes of case cannot matter to them. "
    "Those rows say nothing about robustness, and all together is a little higher for them."
)


def slices(found: Findings) -> Section:
    """Return the section of slices."""
    blocks: list[Block] = []
    for name, task in found.tasks.items():
        if len(found.tasks) > 1:
            blocks.append(Heading(words(name)))
        blocks += _slices(name, task)
    lead = "Accuracy on parts of the test rows; each row is in one slice of each kind. The worst slice is a metric of its own."
    return Section("slices", "Slices", lead, blocks)


def _parts(task: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{words(kind)}: {words(part)}", figures) for kind, parts in task["slices"].items() for part, figures in parts.items()]


def worst(task: dict[str, Any], role: str) -> str | None:
    """Return the name of the judged slice on which a model is right least often; None where none is judged."""
    judged = [(figures[role]["value"], name) for name, figures in _parts(task) if figures["judged"]]
    return min(judged)[1] if judged else None


def _slices(name: str, task: dict[str, Any]) -> list[Block]:
    least = {role: worst(task, role) for role in ROLES}
    rows: list[list[str | Cell]] = []
    lines = []
    for part, found in _parts(task):
        row: list[str | Cell] = [part, count(found["rows"])]
        if not found["rows"]:
            continue
        for role in ROLES:
            if not found["judged"]:
                row.append(Cell(f"{shares(found[role])}, {TOO_FEW}", "weak"))
            elif part == least[role]:
                row.append(Cell(f"{shares(found[role])}, worst", "worst"))
            else:
                row.append(shares(found[role]))
        rows.append(row)
        if found["judged"]:
            lines.append(Line(f"{part}, {found['rows']:,} rows", {role: found[role] for role in ROLES}))
    blocks: list[Block] = [Table(f"Accuracy by slice, {words(name)}", ["slice", "rows", *ROLES], rows)]
    if lines:
        told = "; ".join(f"worst slice of the {role}: {least[role]}" for role in ROLES)
        title = f"Accuracy by slice on {words(name)}"
        blocks.append(Chart(f"{title}; {told}.", draw_intervals(title, f"{told}.", Scale("accuracy", percent=True), ROLES, lines)))
    return blocks


def robustness(found: Findings, readers: Mapping[str, Reader]) -> Section:
    """Return the section of robustness.

    Args:
        found: what the run found.
        readers: the student's classifier of each task, whose tokenizer tells whether it sees the case of letters.
    """
    blocks: list[Block] = []
    for name, task in found.tasks.items():
        if len(found.tasks) > 1:
            blocks.append(Heading(words(name)))
        blocks += _robustness(name, task["robustness"])
        if CASE in task["robustness"]["perturbations"] and not sees_case(readers[name]):
            blocks.append(Text(UNCASED))
    strengths = found.params.evaluate.robustness.strengths
    lead = (
        "The share of its accuracy that each model keeps when the same rows are written less carefully. "
        f"Light changes {percent(strengths.light, 0)} of a row's words, heavy {percent(strengths.heavy, 0)}; at least one word."
    )
    return Section("robustness", "Robustness", lead, blocks)


def sees_case(reader: Reader) -> bool:
    """Tell whether a model's tokenizer keeps capitals apart from small letters."""
    return bool(reader.tokenizer.tokenize("A") != reader.tokenizer.tokenize("a"))


def _robustness(name: str, found: dict[str, Any]) -> list[Block]:
    rows: list[list[str | Cell]] = []
    lines = []
    lowest = {role: found["worst"][role]["kept"].get("value") for role in ROLES}
    for kind, strengths in found["perturbations"].items():
        for strength in STRENGTHS:
            case = strengths[strength]
            title = f"{words(kind)}, {strength}"
            row: list[str | Cell] = [title, percent(case["changed"], 0)]
            for role in ROLES:
                kept = case[role]["kept"]
                is_worst = found["judged"] and kept.get("value") == lowest[role]
                row.append(Cell(f"{shares(kept)}, worst", "worst") if is_worst else shares(kept))
            rows.append(row)
            lines.append(Line(title, {role: case[role]["kept"] for role in ROLES}))
    rows.append(["all together", "", *(shares(found["all"][role]["kept"]) for role in ROLES)])
    note = "" if found["judged"] else f"All {TOO_FEW}."
    blocks: list[Block] = [
        Table(f"Accuracy kept on {words(name)}, {count(found['rows'])} rows", ["flaw", "rows changed", *ROLES], rows, note)
    ]
    if found["judged"] and any(line.figures[role] for line in lines for role in ROLES):
        title = f"Accuracy kept under flaws on {words(name)}"
        told = "; ".join(f"the {role} keeps {shares(found['all'][role]['kept'])} over all of them" for role in ROLES)
        drawn = draw_intervals(title, f"{told}.", Scale("accuracy kept", reference=1.0, percent=True), ROLES, lines)
        blocks.append(Chart(f"{title}: {told}.", drawn))
    return blocks

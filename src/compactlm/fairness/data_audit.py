"""The audit of one task's train rows: before augmentation, with the augmented copies, and after mitigation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from compactlm.artifacts import Document
from compactlm.fairness.audit import Finding, find_rows, measure
from compactlm.fairness.groups import Lexicon
from compactlm.fairness.mitigation import combined
from compactlm.params import BiasAudit

STEPS = {"before": "train rows", "augmented": "with augmented copies", "mitigated": "after mitigation"}


@dataclasses.dataclass(frozen=True)
class TaskAudit:
    """The findings by attribute and step (the keys of STEPS), and the example weight of each row and copy by id."""

    findings: dict[str, dict[str, Finding]]
    weights: dict[str, float]

    def metrics(self) -> dict[str, object]:
        """Return the findings as nested numbers."""
        return {name: {step: finding.metrics() for step, finding in steps.items()} for name, steps in self.findings.items()}


def audit_task(
    rows: Sequence[Document], copies: Sequence[Document], protected: Sequence[str], favorable_label: str, settings: BiasAudit
) -> TaskAudit:
    """Audit one task.

    Weights are computed on rows and copies together, since the student trains on both: a copy is judged by its own text,
    which may have lost or gained a mention.

    Args:
        rows: the task's labelled train rows.
        copies: their augmented copies.
        protected: names of the attributes to audit.
        favorable_label: the label that a group gains from.
        settings: the section of params.yaml.
    """
    everything = [*rows, *copies]
    texts, labels = [row.text for row in everything], [str(row.label) for row in everything]
    attributes = {name: settings.attributes[name] for name in protected}
    found = {name: find_rows(texts, labels, Lexicon(attribute), favorable_label) for name, attribute in attributes.items()}
    minimum = settings.minimum_group_rows
    reweighed = settings.mitigation == "reweighing"
    weights = combined(found, attributes, minimum, len(everything)) if reweighed else [1.0] * len(everything)
    findings = {}
    for name, attribute in attributes.items():
        originals = dataclasses.replace(
            found[name], categories=found[name].categories[: len(rows)], favorable=found[name].favorable[: len(rows)]
        )
        findings[name] = {
            "before": measure(originals, attribute, minimum),
            "augmented": measure(found[name], attribute, minimum),
            "mitigated": measure(found[name], attribute, minimum, weights),
        }
    return TaskAudit(findings, {row.id: weight for row, weight in zip(everything, weights, strict=True)})


def write_report(audits: Mapping[str, TaskAudit], settings: BiasAudit, favorable_labels: Mapping[str, str]) -> str:
    """Return the audits as Markdown; a group that is too small to judge is called not judged, never fair."""
    lines = [
        "# Bias audit of the training data",
        "",
        "Groups are found by the words of `bias_audit.attributes` in params.yaml. Compared are rows that mention one group only.",
        "Disparate impact is the ratio of the shares of favourable labels, unprivileged to privileged group (parity: 1);",
        f"statistical parity difference is the one minus the other (parity: 0). Mitigation: {settings.mitigation}.",
    ]
    for task, audit in audits.items():
        if not audit.findings:
            lines += ["", f"## {task}", "", "Not judged: the task names no protected attribute."]
        for name, steps in audit.findings.items():
            attribute = settings.attributes[name]
            lines += ["", f"## {task}, {name}", ""]
            lines += [f"Favourable label: {favorable_labels[task]}. Compared: {attribute.unprivileged} with {attribute.privileged}.", ""]
            lines += _table(steps)
    return "\n".join(lines) + "\n"


def _table(steps: Mapping[str, Finding]) -> list[str]:
    categories = list(steps["before"].rows)
    header = ["data", *(f"{category.replace('_', ' ')}: rows, favourable" for category in categories)]
    header += ["disparate impact", "parity difference"]
    lines = [_row(header), _row(["---"] * len(header))]
    for step, finding in steps.items():
        cells = [STEPS[step], *(_cell(finding, category) for category in categories)]
        cells += [_number(finding.disparate_impact, "{:.3f}"), _number(finding.statistical_parity_difference, "{:+.3f}")]
        lines.append(_row(cells))
    reasons = [f"- {STEPS[step]}: not judged: {finding.why_not}." for step, finding in steps.items() if finding.why_not]
    return [*lines, *(["", *reasons] if reasons else [])]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(finding: Finding, category: str) -> str:
    rate = finding.base_rates.get(category)
    return f"{finding.rows[category]:,}, {_number(rate, '{:.1%}')}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)

"""The audit of the training data as a page: what was found in which group, before and after, and who was covered."""

from __future__ import annotations

from collections.abc import Mapping

from compactlm.fairness.audit.data import STEPS, TaskAudit
from compactlm.fairness.audit.labels import Comparison, Finding
from compactlm.fairness.gate import DATA, join
from compactlm.fairness.groups import Coverage
from compactlm.figures.bootstrap import Estimate
from compactlm.params import Attribute, BiasAudit
from compactlm.text.markdown import code, table

WORDS_SHOWN = 12
MITIGATIONS = {
    "none": "none",
    "reweighing": "reweighing (example weights)",
    "counterfactual": "counterfactual copies",
    "both": "counterfactual copies and reweighing",
}


def write_report(audits: Mapping[str, TaskAudit], settings: BiasAudit) -> str:
    """Return the audits as Markdown; a group that is too small to judge is called not judged, never fair."""
    share = f"{settings.bootstrap.confidence:.0%}".replace("%", " %")
    lines = ["# Bias audit of the training data", "", *join(DATA, [audit.verdict for audit in audits.values()]).markdown(), ""]
    lines += [
        "Compared are rows that belong to one group and no other. Disparate impact is the ratio of the shares of rows with a label, the",
        "first group's over the second's (parity: 1); statistical parity difference is the one minus the other (parity: 0). In brackets:",
        f"{share} intervals from {settings.bootstrap.samples:,} bootstrap resamples of whole documents.",
        f"Mitigation: {MITIGATIONS[settings.mitigation]}.",
    ]
    for task, audit in audits.items():
        if not audit.findings:
            lines += ["", f"## {task}", "", "Not judged: the task names no protected attribute."]
        for name, steps in audit.findings.items():
            lines += ["", f"## {task}, {name}", "", *_found(audit.coverage[name], settings.attributes[name])]
            lines += ["", *_rate_table(steps, settings.favorable_labels[task]), "", *_comparison_table(steps), *_not_judged(steps)]
            lines += ["", *_coverage(audit.coverage[name]), *_counterfactuals(audit, name, settings)]
    return "\n".join(lines) + "\n"


def _found(coverage: Coverage, attribute: Attribute) -> list[str]:
    if attribute.found_in == "column":
        return ["Groups are read off a column of the rows."]
    words = ", ".join(f"{word} {count:,}" for word, count in list(coverage.words.items())[:WORDS_SHOWN])
    return [f"Groups are found by {sum(map(len, attribute.groups.values()))} words; most frequent in the train rows: {words or 'none'}."]


def _rate_table(steps: Mapping[str, Finding], favorable: str) -> list[str]:
    categories = list(steps["before"].rows)
    rows = []
    for step, finding in steps.items():
        rates = finding.base_rates.get(favorable, {})
        cells = [
            f"{finding.rows[category]:,}; {interval(rates.get(category), '{:.1%}')}{_mark(finding, category)}" for category in categories
        ]
        rows.append([STEPS[step], *cells])
    head = ["data", *(category.replace("_", " ") for category in categories)]
    return [f"Rows, and the share of them with the label {favorable}:", "", table(head, rows)]


def _mark(finding: Finding, category: str) -> str:
    return "" if finding.suffices(category) else f", not judged: fewer than {finding.minimum:,} rows"


def _comparison_table(steps: Mapping[str, Finding]) -> list[str]:
    rows = []
    keys: dict[tuple[str, str, str], None] = {}
    by_step: dict[str, dict[tuple[str, str, str], Comparison]] = {}
    for step, finding in steps.items():
        by_step[step] = {(found.group, found.reference, found.label): found for found in finding.comparisons}
        keys |= dict.fromkeys(by_step[step])
    for key in keys:
        for step, found in by_step.items():
            if key in found:
                impact, difference = found[key].disparate_impact, found[key].statistical_parity_difference
                cells = [f"{key[0]} to {key[1]}", key[2], STEPS[step], interval(impact, "{:.3f}"), interval(difference, "{:+.3f}")]
                rows.append(cells)
    return [table(["compared", "label", "data", "disparate impact", "statistical parity difference"], rows)]


def _not_judged(steps: Mapping[str, Finding]) -> list[str]:
    reasons = [f"- {STEPS[step]}, {why}" for step, finding in steps.items() for why in dict.fromkeys(_reasons(finding))]
    return ["", *reasons] if reasons else []


def _reasons(finding: Finding) -> list[str]:
    return [f"{found.group} to {found.reference}: not judged: {found.why_not}." for found in finding.comparisons if found.why_not]


def _coverage(coverage: Coverage) -> list[str]:
    total = sum(coverage.rows.values())
    lines = ["Coverage of the train rows, with samples:", ""]
    for category, count in coverage.rows.items():
        share = f", {count / total:.1%}" if total else ""
        lines.append(f"- {category.replace('_', ' ')}: {count:,} rows{share}")
        lines += [f"  - {code(text)}" for text in coverage.samples[category]]
    return lines


def _counterfactuals(audit: TaskAudit, name: str, settings: BiasAudit) -> list[str]:
    if name not in audit.counterfactuals.without:
        return []
    copies = sum(copy.augmenter == f"counterfactual_{name}" for copy in audit.counterfactuals.copies)
    without = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in audit.counterfactuals.without[name].items())
    return ["", f"Counterfactual copies: {copies:,} of {settings.mitigation} mitigation; rows without one: {without}."]


def interval(found: Estimate | None, form: str) -> str:
    """Return a figure with its interval in brackets, or - where there is none."""
    if found is None:
        return "-"
    if found.low is None or found.high is None:
        return form.format(found.value)
    return f"{form.format(found.value)} ({form.format(found.low)} to {form.format(found.high)})"

"""The audit of the training data as a page: figures before and after mitigation, and the coverage of each group."""

from __future__ import annotations

from collections.abc import Mapping

from compactlm.fairness.audit.labels import FIGURES, Finding
from compactlm.fairness.audit.training_data import STEPS, DataAudit, data_gate
from compactlm.fairness.groups import Coverage
from compactlm.figures.figure import Figure
from compactlm.figures.numbers import count, percent, stated, words
from compactlm.params import Attribute, BiasAudit, Bootstrap
from compactlm.text.markdown import code, table

WORDS_SHOWN = 12
MITIGATIONS = {
    "none": "none",
    "reweighing": "reweighing (example weights)",
    "counterfactual": "counterfactual copies",
    "both": "counterfactual copies and reweighing",
}


def write_report(audits: Mapping[str, DataAudit], settings: BiasAudit, bootstrap: Bootstrap) -> str:
    """Return the audits as Markdown; a group that is too small is reported as not judged, never as fair."""
    lines = ["# Bias audit of the training data", "", *data_gate(audits).markdown(), ""]
    lines += [
        "The audit compares rows that belong to exactly one group. Disparate impact is the share of the first group's rows that have a",
        "label divided by that of the second group (parity: 1); statistical parity difference is the first minus the second (parity: 0).",
        f"In brackets: {percent(bootstrap.confidence, 0)} confidence intervals from {count(bootstrap.samples)} bootstrap "
        "resamples of whole documents.",
        f"Mitigation: {MITIGATIONS[settings.mitigation]}.",
    ]
    for task, audit in audits.items():
        if not audit.findings:
            lines += ["", f"## {task}", "", f"Not judged: {audit.reason}."]
        for name, steps in audit.findings.items():
            lines += ["", f"## {task}, {name}", "", *_found(audit.coverage[name], settings.attributes[name])]
            lines += ["", *_rate_table(steps, audit), "", *_comparison_table(steps)]
            lines += ["", *_coverage(audit.coverage[name]), *_counterfactuals(audit, name, settings)]
    return "\n".join(lines) + "\n"


def _found(coverage: Coverage, attribute: Attribute) -> list[str]:
    if attribute.found_in == "column":
        return ["Groups are values of a column of the rows."]
    frequent = ", ".join(f"{word} {rows:,}" for word, rows in list(coverage.words.items())[:WORDS_SHOWN])
    number = sum(map(len, attribute.groups.values()))
    return [f"Groups are found by {number} words. Most frequent in the train rows: {frequent or 'none'}."]


def _rate_table(steps: Mapping[str, Finding], audit: DataAudit) -> list[str]:
    categories = list(steps["before"].rows)
    rows = []
    for step, finding in steps.items():
        rates = finding.base_rates.get(audit.outcome, {})
        cells = [f"{count(finding.rows[category])}{_share(rates.get(category))}" for category in categories]
        rows.append([STEPS[step], *cells])
    head = ["data", *map(words, categories)]
    return [f"Rows, and {audit.said}:", "", table(head, rows)]


def _share(rate: Figure | None) -> str:
    return "" if rate is None else f"; {stated(rate, percent)}"


def _comparison_table(steps: Mapping[str, Finding]) -> list[str]:
    rows = []
    keys = dict.fromkeys((pair, label) for finding in steps.values() for pair, labels in finding.pairs.items() for label in labels)
    for pair, label in keys:
        for step, finding in steps.items():
            found = finding.pairs.get(pair, {}).get(label)
            if found:
                rows.append([words(pair), label, STEPS[step], *(stated(found[figure]) for figure in FIGURES)])
    return [table(["compared", "label", "data", "disparate impact", "statistical parity difference"], rows)]


def _coverage(coverage: Coverage) -> list[str]:
    total = sum(coverage.rows.values())
    lines = ["Coverage of the train rows, with samples:", ""]
    for category, rows in coverage.rows.items():
        share = f", {percent(rows / total)}" if total else ""
        lines.append(f"- {words(category)}: {count(rows)} rows{share}")
        lines += [f"  - {code(text)}" for text in coverage.samples[category]]
    return lines


def _counterfactuals(audit: DataAudit, name: str, settings: BiasAudit) -> list[str]:
    if name not in audit.counterfactuals.without:
        return []
    copies = sum(copy.augmenter == f"counterfactual_{name}" for copy in audit.counterfactuals.copies)
    without = ", ".join(f"{count(rows)} {words(reason)}" for reason, rows in audit.counterfactuals.without[name].items())
    return ["", f"Counterfactual copies: {count(copies)}, for {settings.mitigation} mitigation. Rows without a copy: {without}."]

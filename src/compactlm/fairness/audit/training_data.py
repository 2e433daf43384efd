"""The audit of one task's train rows: before augmentation, with the augmented copies, and after mitigation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.audit.labels import Finding, find_rows, measure
from compactlm.fairness.audit.reweighing import combined
from compactlm.fairness.corrected import correct
from compactlm.fairness.gate import Gate
from compactlm.fairness.groups import Coverage, cover
from compactlm.fairness.outcomes import not_audited, outcome_in_words, outcome_name, outcomes, score_bounds
from compactlm.fairness.roles import difference_limit, ratio_limit
from compactlm.fairness.swaps.counterfactual import Counterfactuals, make_counterfactuals
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Limit
from compactlm.params import BiasAudit, DataLimits, Task

STEPS = {"before": "train rows", "augmented": "with augmented copies", "mitigated": "after mitigation"}
SAMPLES = 3  # rows a category shown in the report


@dataclasses.dataclass(frozen=True)
class DataAudit:
    """The result of the audit of a task.

    Attributes:
        findings: by attribute and step (the keys of STEPS).
        coverage: the coverage of the train rows, by attribute.
        weights: example weight of each row and copy, by id.
        counterfactuals: the swapped copies; empty if mitigation makes none.
        outcome: the label (or other outcome) that the gate checks.
        said: a description of the base rate of the outcome.
        reason: the reason why nothing is audited; "" if the task is audited.
    """

    findings: dict[str, dict[str, Finding]]
    coverage: dict[str, Coverage]
    weights: dict[str, float]
    counterfactuals: Counterfactuals
    outcome: str = ""
    said: str = ""
    reason: str = ""

    def metrics(self) -> dict[str, object]:
        """Return the findings, the counterfactual copies and the counts of the gate."""
        found = {name: {step: finding.metrics() for step, finding in steps.items()} for name, steps in self.findings.items()}
        copied = {"copies": len(self.counterfactuals.copies), "without": self.counterfactuals.without}
        return {"attributes": found, "counterfactual": copied, "gate": data_gate({"": self}).metrics()}


def audit_task(
    rows: Sequence[Document], copies: Sequence[Document], name: str, task: Task, settings: BiasAudit, resampler: Resampler
) -> DataAudit:
    """Audit one task, and mitigate its bias as the settings say.

    Groups are compared by how often their rows have a label, by their mean score, or by the share of their words that have a tag. A kind of
    task without such an outcome is not audited.

    Weights are computed on all rows that the student trains on: labelled train rows, their augmented copies, and counterfactual copies. The
    group of a copy comes from its own text, because augmentation may add or remove a mention.
    """
    outcome = outcome_name(settings, name, task)
    protected = settings.protected.get(name, [])
    audited = protected and outcomes(rows, task, outcome) is not None
    attributes = {attribute: settings.attributes[attribute] for attribute in (protected if audited else [])}
    augmented = [*rows, *copies]
    with_copies = settings.mitigation in ("counterfactual", "both")
    swapped = {name: attribute for name, attribute in attributes.items() if attribute.swaps and with_copies}
    counterfactuals = make_counterfactuals(augmented, swapped, task)
    everything = [*augmented, *counterfactuals.copies]
    bounds = score_bounds(np.array([row.score for row in rows if row.score is not None]))
    values = (outcomes(everything, task, outcome, bounds) or {}) if attributes else {}
    found = {attribute: find_rows(everything, attribute, groups, values) for attribute, groups in attributes.items()}
    minimum = settings.minimum_group_rows
    # The rows before mitigation are judged whatever the mitigation, because weights make the last step even by arithmetic.
    gated = {"before": True, "augmented": True, "mitigated": settings.mitigation != "none"}
    weights = [1.0] * len(everything)
    if settings.mitigation in ("reweighing", "both"):
        weights = combined(found, attributes, outcome, minimum, len(everything))
    limits = {outcome: _limits(settings.gate.data)}
    findings = {}
    for name, attribute in attributes.items():
        steps = {"before": (len(rows), None), "augmented": (len(augmented), None), "mitigated": (len(everything), weights)}
        findings[name] = {
            step: measure(found[name].first(count), attribute, list(values), minimum, resampler, weighted, limits if gated[step] else None)
            for step, (count, weighted) in steps.items()
        }
    return DataAudit(
        findings=_corrected(findings, resampler.confidence),
        coverage={name: cover(rows, found[name].first(len(rows)).categories, attribute, SAMPLES) for name, attribute in attributes.items()},
        weights={row.id: weight for row, weight in zip(everything, weights, strict=True)},
        counterfactuals=counterfactuals,
        outcome=outcome,
        said=outcome_in_words(task, outcome),
        reason="" if attributes else _reason(task, protected),
    )


def _reason(task: Task, protected: Sequence[str]) -> str:
    if not protected:
        return "the task names no protected attribute"
    return not_audited(task)


def _corrected(findings: dict[str, dict[str, Finding]], confidence: float) -> dict[str, dict[str, Finding]]:
    pairs = correct({name: {step: one.pairs for step, one in steps.items()} for name, steps in findings.items()}, confidence)
    return {
        name: {step: dataclasses.replace(one, pairs=pairs[name][step]) for step, one in steps.items()} for name, steps in findings.items()
    }


def _limits(limits: DataLimits) -> dict[str, Limit]:
    return {
        "disparate_impact": ratio_limit(limits.disparate_impact),
        "statistical_parity_difference": difference_limit(limits.statistical_parity_difference),
    }


def data_gate(audits: Mapping[str, DataAudit]) -> Gate:
    """Return the gate for the rows of each step: how often each group has the favourable label, compared with the privileged group."""
    steps = {
        task: {name: {STEPS[step]: finding.metrics() for step, finding in by_step.items()} for name, by_step in audit.findings.items()}
        for task, audit in audits.items()
    }
    return Gate.of("data", steps)

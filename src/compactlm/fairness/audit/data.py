"""The audit of one task's train rows: before augmentation, with the augmented copies, and after mitigation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from compactlm.artifacts import Document
from compactlm.fairness.audit.labels import Finding, find_rows, measure, pair_name
from compactlm.fairness.gate import DATA, Check, Verdict, check_difference, check_ratio
from compactlm.fairness.groups import Coverage, cover
from compactlm.fairness.mitigation import combined
from compactlm.fairness.swaps.counterfactual import Counterfactuals, make_counterfactuals
from compactlm.params import Attribute, BiasAudit

STEPS = {"before": "train rows", "augmented": "with augmented copies", "mitigated": "after mitigation"}
SAMPLES = 3  # rows a category shown in the report


@dataclasses.dataclass(frozen=True)
class TaskAudit:
    """What the audit of a task came to.

    Attributes:
        findings: by attribute and step (the keys of STEPS).
        coverage: of the train rows, by attribute.
        weights: example weight of each row and copy, by id.
        counterfactuals: the swapped copies; none where mitigation makes none.
        verdict: of the data gate, on the rows of each step.
    """

    findings: dict[str, dict[str, Finding]]
    coverage: dict[str, Coverage]
    weights: dict[str, float]
    counterfactuals: Counterfactuals
    verdict: Verdict

    def metrics(self) -> dict[str, object]:
        """Return the findings, the counterfactual copies and the gate's verdict as nested numbers."""
        found = {name: {step: finding.metrics() for step, finding in steps.items()} for name, steps in self.findings.items()}
        copied = {"copies": len(self.counterfactuals.copies), "without": self.counterfactuals.without}
        return {"attributes": found, "counterfactual": copied, "gate": self.verdict.metrics()}


def audit_task(
    rows: Sequence[Document],
    copies: Sequence[Document],
    task: str,
    labels: Sequence[str],
    settings: BiasAudit,
    seed: int,
) -> TaskAudit:
    """Audit one task, and mitigate what is found as the settings say.

    Weights are computed on all that the student trains on: rows, copies and counterfactual copies. A copy is judged by its own text,
    which may have lost or gained a mention.

    Args:
        rows: the task's labelled train rows.
        copies: their augmented copies.
        task: name of the task.
        labels: names of its labels.
        settings: the section of params.yaml.
        seed: of the bootstrap.
    """
    attributes = {name: settings.attributes[name] for name in settings.protected.get(task, [])}
    favorable = settings.favorable_labels.get(task, "")
    augmented = [*rows, *copies]
    swapped = {name: attribute for name, attribute in attributes.items() if attribute.swaps} if settings.swaps else {}
    counterfactuals = make_counterfactuals(augmented, swapped)
    everything = [*augmented, *counterfactuals.copies]
    found = {name: find_rows(everything, name, attribute) for name, attribute in attributes.items()}
    minimum = settings.minimum_group_rows
    weights = combined(found, attributes, favorable, minimum, len(everything)) if settings.reweighs else [1.0] * len(everything)
    findings = {}
    for name, attribute in attributes.items():
        steps = {"before": (len(rows), None), "augmented": (len(augmented), None), "mitigated": (len(everything), weights)}
        findings[name] = {
            step: measure(found[name].first(count), attribute, labels, minimum, settings.bootstrap, seed, weighted)
            for step, (count, weighted) in steps.items()
        }
    return TaskAudit(
        findings=findings,
        coverage={name: cover(rows, name, attribute, SAMPLES) for name, attribute in attributes.items()},
        weights={row.id: weight for row, weight in zip(everything, weights, strict=True)},
        counterfactuals=counterfactuals,
        verdict=_judge(task, favorable, findings, attributes, settings),
    )


def _judge(
    task: str, favorable: str, findings: Mapping[str, Mapping[str, Finding]], attributes: Mapping[str, Attribute], settings: BiasAudit
) -> Verdict:
    """Hold the rows at each step against the limits: the favourable label, each group against the privileged one.

    The rows as they came are judged whatever is done about them: mitigation makes the last step even by arithmetic, so that this
    step alone would pass any data. Whether it made the student fair is for the model gate.
    """
    limits, checks = settings.gate.data, list[Check]()
    steps = [each for each in STEPS if each != "mitigated" or settings.mitigation != "none"]
    listed = [(name, step, one) for name, by_step in findings.items() for step in steps for one in by_step[step].comparisons]
    for name, step, found in listed:
        if found.label != favorable or found.reference != attributes[name].privileged:
            continue
        where = f"{task}, {name}, {STEPS[step]}, {found.group} to {found.reference}, label {favorable}"
        key = (name, step, pair_name(found.group, found.reference), favorable)
        impact, difference = found.disparate_impact, found.statistical_parity_difference
        checks += [
            check_ratio(f"{where}, disparate impact", (*key, "disparate_impact"), impact, limits.disparate_impact, found.why_not),
            check_difference(
                f"{where}, statistical parity difference",
                (*key, "statistical_parity_difference"),
                difference,
                limits.statistical_parity_difference,
                found.why_not,
            ),
        ]
    return Verdict(DATA, checks)

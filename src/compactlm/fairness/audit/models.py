"""The audit of teacher and student: groups, counterfactual flips and stereotypes, and the gate that checks their figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from compactlm.artifacts import Document
from compactlm.errors import CompactLMError
from compactlm.fairness.audit.numbers import NumberAudit, audit_numbers
from compactlm.fairness.audit.predictions import GroupAudit, audit_groups
from compactlm.fairness.corrected import correct
from compactlm.fairness.gate import Gate
from compactlm.fairness.outcomes import answered, outcome_name
from compactlm.fairness.stereotypes import Stereotypes
from compactlm.fairness.swaps.flips import Flips, Predict, count_flips
from compactlm.figures.bootstrap import CONFIDENCE, Resampler
from compactlm.params import BiasAudit, Task
from compactlm.tasks import kind_of


@dataclasses.dataclass(frozen=True)
class ModelAudit:
    """The results for a task: the audit of groups by attribute, and the flips by attribute that has swaps."""

    groups: Mapping[str, GroupAudit | NumberAudit]
    flips: dict[str, Flips]

    def metrics(self) -> dict[str, object]:
        """Return nested figures by attribute."""
        swapped = {name: {"counterfactual": found.metrics()} for name, found in self.flips.items()}
        return {name: {**found.metrics(), **swapped.get(name, {})} for name, found in self.groups.items()}


def audit_models(
    rows: Sequence[Document],
    name: str,
    task: Task,
    said: Mapping[str, Any],
    predict: Mapping[str, Predict],
    settings: BiasAudit,
    resampler: Resampler,
) -> ModelAudit | None:
    """Audit teacher and student on the test rows of a task, for each attribute that bias_audit.protected names for it.

    For labels, the shares of rows with the favourable label are compared; for scores and tags, the means (see Kind.outcome).

    Args:
        rows: the task's labelled test rows.
        name: its name.
        task: the task.
        said: by role (TEACHER, STUDENT), the answers to the rows, as Kind.answers returns them.
        predict: by role, a function that returns the answers to counterfactual rows.
        settings: the section of params.yaml.
        resampler: for the confidence intervals.

    Returns:
        The audit; None for a kind of task whose answers cannot be compared.

    Raises:
        CompactLMError: an answer is not a finite number.
    """
    for role, answers in said.items():
        if isinstance(answers, np.ndarray) and not np.isfinite(answers).all():
            raise CompactLMError(f"the {role} gives answers for {name} that are not finite; train it again with a lower learning rate")
    names = settings.protected.get(name, [])
    if not names:
        return ModelAudit({}, {})
    outcome = outcome_name(settings, name, task)
    found = {role: numbers for role, answers in said.items() if (numbers := answered(answers, rows, task, outcome)) is not None}
    if len(found) < len(said):
        return None
    kind = kind_of(task)
    expected = kind.outcome(None, rows, task, outcome) if kind.has_favourable else None
    groups: dict[str, GroupAudit | NumberAudit]
    if expected is None:
        groups = {one: audit_numbers(rows, one, found, settings, resampler) for one in names}
    else:
        has, predicted = (expected == 1).tolist(), {role: (values == 1).tolist() for role, values in found.items()}
        right = {role: _right(said[role], values == expected, rows, task) for role, values in found.items()}
        groups = {one: audit_groups(rows, one, has, right, predicted, settings, resampler) for one in names}
    swapped = {one: settings.attributes[one] for one in names if settings.attributes[one].swaps}
    flips = {one: count_flips(rows, attribute, task, outcome, said, predict, settings, resampler) for one, attribute in swapped.items()}
    return ModelAudit(groups, flips)


def _right(answers: Any, as_expected: Any, rows: Sequence[Document], task: Task) -> list[bool]:
    """Return whether each answer is right. For kinds with partly right answers, return whether the favourable label is right."""
    found = kind_of(task).right(answers, rows, task)
    right: list[bool] = (as_expected if found is None else found == 1).tolist()
    return right


def fairness_metrics(
    tasks: Mapping[str, ModelAudit], stereotypes: Mapping[str, Stereotypes], confidence: float = CONFIDENCE
) -> dict[str, object]:
    """Return the content of `fairness` in evaluate.json: `tasks`, `stereotypes` and the counts of the `gate`.

    Violations are corrected for the number of checks; `confidence` is the confidence of the intervals.
    """
    measured: dict[str, object] = {
        "tasks": {name: audit.metrics() for name, audit in tasks.items()},
        "stereotypes": {name: one.metrics() for name, one in stereotypes.items()},
    }
    found = correct(measured, confidence)
    return {**found, "gate": Gate.of("model", found).metrics()}

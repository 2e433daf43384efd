"""The audit of teacher and student: groups, counterfactual flips and stereotypes, and the gate on all of these."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from compactlm.artifacts import Document
from compactlm.errors import CompactLMError
from compactlm.fairness.audit.numbers import NumberAudit, audit_numbers
from compactlm.fairness.audit.outcomes import answered, outcome_name
from compactlm.fairness.audit.predictions import GroupAudit, audit_groups
from compactlm.fairness.corrected import correct
from compactlm.fairness.gate import Gate
from compactlm.fairness.stereotypes import Stereotypes
from compactlm.fairness.swaps.flips import Flips, Predict, count_flips
from compactlm.figures.bootstrap import CONFIDENCE, Array, Resampler
from compactlm.params import BiasAudit, Task
from compactlm.tasks import kind_of


@dataclasses.dataclass(frozen=True)
class ModelAudit:
    """What was found for a task: groups by attribute, and flips by attribute that has swaps."""

    groups: Mapping[str, GroupAudit | NumberAudit]
    flips: dict[str, Flips]

    def metrics(self) -> dict[str, object]:
        """Return nested figures by attribute."""
        swapped = {name: {"counterfactual": found.metrics()} for name, found in self.flips.items()}
        return {name: {**found.metrics(), **swapped.get(name, {})} for name, found in self.groups.items()}


def audit_models(
    rows: Sequence[Document],
    task: str,
    labels: Sequence[str],
    probabilities: Mapping[str, Array],
    predict: Mapping[str, Predict],
    settings: BiasAudit,
    resampler: Resampler,
) -> ModelAudit:
    """Audit teacher and student on the test rows of a task, for each attribute that bias_audit.protected names for it.

    Args:
        rows: the task's labelled test rows.
        task: its name.
        labels: names of the labels, in the order of the models' output ids.
        probabilities: by role (TEACHER, STUDENT), float [rows, labels], in the order of the rows.
        predict: by role, a function from rows to such probabilities, for counterfactual rows.
        settings: the section of params.yaml.
        resampler: for the confidence intervals.

    Raises:
        CompactLMError: a probability is not a finite number.
    """
    for role, found in probabilities.items():
        if not np.isfinite(found).all():
            raise CompactLMError(
                f"the {role} gives probabilities for {task} that are not finite; train it again with a lower learning rate"
            )
    names = settings.protected.get(task, [])
    if not names:
        return ModelAudit({}, {})
    favorable = list(labels).index(settings.favorable_labels[task])
    expected = np.array([list(labels).index(str(row.label)) for row in rows], dtype=np.int64)
    answers = {role: np.asarray(found).argmax(axis=1) for role, found in probabilities.items()}
    has, right = (expected == favorable).tolist(), {role: (found == expected).tolist() for role, found in answers.items()}
    predicted = {role: (found == favorable).tolist() for role, found in answers.items()}
    swapped = {name: settings.attributes[name] for name in names if settings.attributes[name].swaps}
    return ModelAudit(
        {name: audit_groups(rows, name, has, right, predicted, settings, resampler) for name in names},
        {name: count_flips(rows, one, probabilities, predict, favorable, settings, resampler) for name, one in swapped.items()},
    )


def audit_answers(
    rows: Sequence[Document], name: str, task: Task, said: Mapping[str, Any], settings: BiasAudit, resampler: Resampler
) -> ModelAudit | None:
    """Audit teacher and student on the test rows of a task whose answers are not one label of several.

    Several labels are compared by how often rows get the favourable one, scores and tags by their means (see Kind.outcome).

    Args:
        rows: the task's labelled test rows.
        name: its name.
        task: the task.
        said: by role, the answers to the rows, as Kind.answers returns them.
        settings: the section of params.yaml.
        resampler: for the confidence intervals.

    Returns:
        Nothing for a kind whose answers cannot be compared.
    """
    names = settings.protected.get(name, [])
    outcome = outcome_name(settings, name, task)
    values = {role: answered(answers, rows, task, outcome) for role, answers in said.items()} if names else {}
    found = {role: numbers for role, numbers in values.items() if numbers is not None}
    if len(found) < len(values):
        return None
    if not kind_of(task).has_favourable:
        return ModelAudit({one: audit_numbers(rows, one, found, settings, resampler) for one in names}, {})
    expected = kind_of(task).outcome(None, rows, task, outcome) if names else None
    if expected is None:
        return ModelAudit({}, {})
    has, predicted = (expected == 1).tolist(), {role: (numbers == 1).tolist() for role, numbers in found.items()}
    right = {role: (numbers == expected).tolist() for role, numbers in found.items()}
    return ModelAudit({one: audit_groups(rows, one, has, right, predicted, settings, resampler) for one in names}, {})


def fairness_metrics(
    tasks: Mapping[str, ModelAudit], stereotypes: Mapping[str, Stereotypes], confidence: float = CONFIDENCE
) -> dict[str, object]:
    """Return the content of `fairness` in evaluate.json: `tasks`, `stereotypes` and the counts of the `gate`.

    Violations are corrected for the number of checks; `confidence` is that of the intervals.
    """
    measured: dict[str, object] = {
        "tasks": {name: audit.metrics() for name, audit in tasks.items()},
        "stereotypes": {name: one.metrics() for name, one in stereotypes.items()},
    }
    found = correct(measured, confidence)
    return {**found, "gate": Gate.of("model", found).metrics()}

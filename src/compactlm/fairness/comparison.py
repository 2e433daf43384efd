"""Teacher and student side by side: groups, counterfactual flips and stereotypes, as metrics, as a page and before the gate."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.errors import CompactLMError
from compactlm.fairness.audit.labels import pair_name
from compactlm.fairness.audit.models import AMPLIFICATION, FIGURES, STUDENT, TEACHER, GroupAudit, audit_groups, compared_with_privileged
from compactlm.fairness.gate import MODEL, Check, Verdict, check_difference, check_ratio, join, ratio_distance
from compactlm.fairness.stereotypes import Stereotypes
from compactlm.fairness.swaps.flips import Flips, Predict, count_flips
from compactlm.figures.bootstrap import Array, Estimate
from compactlm.params import BiasAudit, ModelLimits


@dataclasses.dataclass(frozen=True)
class TaskComparison:
    """What was found for a task: groups by attribute, flips by attribute that has swaps, and the gate's verdict."""

    groups: dict[str, GroupAudit]
    flips: dict[str, Flips]
    verdict: Verdict

    def metrics(self) -> dict[str, object]:
        """Return nested numbers by attribute."""
        return {
            name: {**found.metrics(), **({"counterfactual": self.flips[name].metrics()} if name in self.flips else {})}
            for name, found in self.groups.items()
        }


def compare_task(
    rows: Sequence[Document],
    task: str,
    labels: Sequence[str],
    probabilities: Mapping[str, Array],
    predict: Mapping[str, Predict],
    settings: BiasAudit,
    seed: int,
) -> TaskComparison:
    """Audit teacher and student on the test rows of a task, for each attribute that bias_audit.protected names for it.

    Args:
        rows: the task's labelled test rows.
        task: name of the task.
        labels: names of its labels, in the order of the models' output ids.
        probabilities: by role (TEACHER, STUDENT), float [rows, labels], in the order of the rows.
        predict: by role, a function from texts to such probabilities, asked about counterfactual texts.
        settings: the section of params.yaml.
        seed: of the bootstrap.

    Raises:
        CompactLMError: a probability is no finite number, so that nothing can be said of the model.
    """
    for role, found in probabilities.items():
        if not np.isfinite(found).all():
            raise CompactLMError(f"the {role} gives probabilities for {task} that are no finite numbers; train it again at a lower rate")
    groups, flips, checks = dict[str, GroupAudit](), dict[str, Flips](), list[Check]()
    names = settings.protected.get(task, [])
    if not names:
        return TaskComparison(groups, flips, Verdict(MODEL, checks))
    limits, favorable = settings.gate.model, list(labels).index(settings.favorable_labels[task])
    expected = np.array([list(labels).index(str(row.label)) for row in rows], dtype=np.int64)
    answers = {role: np.asarray(found).argmax(axis=1) for role, found in probabilities.items()}
    for name in names:
        attribute = settings.attributes[name]
        groups[name] = audit_groups(
            rows,
            name,
            (expected == favorable).tolist(),
            {role: (found == expected).tolist() for role, found in answers.items()},
            {role: (found == favorable).tolist() for role, found in answers.items()},
            settings,
            seed,
        )
        for pair in compared_with_privileged(attribute, groups[name]):
            where, key = f"{task}, {name}, {pair.group} to {pair.reference}", ("tasks", task, name, pair_name(pair.group, pair.reference))
            for figure in FIGURES:
                checks += _checks(where, (*key, figure), figure, pair.figures.get(figure, {}), limits, pair.why_not.get(figure))
        if attribute.swaps:
            flips[name] = count_flips(
                rows, attribute, probabilities, predict, favorable, settings.minimum_group_rows, settings.bootstrap, seed
            )
            one, place = flips[name], ("tasks", task, name, "counterfactual", "flips")
            checks += _checks(f"{task}, {name}", place, "counterfactual_flips", one.flips, limits, one.why_not)
    return TaskComparison(groups, flips, Verdict(MODEL, checks))


def judge_stereotypes(found: Mapping[str, Stereotypes], limits: ModelLimits) -> Verdict:
    """Hold stereotypes, by attribute, against the limits, by the gap: a preference says nothing of a model that is saturated."""
    checks = []
    for name, measured in found.items():
        key = ("stereotypes", name, "log_odds_gap")
        checks += _checks(f"masked words, {name}", key, "stereotype_log_odds_gap", measured.log_odds_gap, limits, measured.why_not)
    return Verdict(MODEL, checks)


def fairness_metrics(tasks: Mapping[str, TaskComparison], stereotypes: Mapping[str, Stereotypes], limits: ModelLimits) -> dict[str, object]:
    """Return all that stands under `fairness` in evaluate.json: `tasks`, `stereotypes` and `gate`."""
    verdict = overall(tasks, stereotypes, limits)
    return {
        "tasks": {name: found.metrics() for name, found in tasks.items()},
        "stereotypes": {name: found.metrics() for name, found in stereotypes.items()},
        "gate": verdict.metrics(),
    }


def overall(tasks: Mapping[str, TaskComparison], stereotypes: Mapping[str, Stereotypes], limits: ModelLimits) -> Verdict:
    """Return the gate's verdict on all tasks and the masked language model."""
    return join(MODEL, [*(found.verdict for found in tasks.values()), judge_stereotypes(stereotypes, limits)])


def _checks(
    where: str, key: tuple[str, ...], figure: str, by_role: Mapping[str, Estimate], limits: ModelLimits, why_not: str | None
) -> list[Check]:
    """Return the check of a student's figure, and that it is not further from parity than the teacher's by more than the limit."""
    what, limit = f"{where}, {figure.replace('_', ' ')} of the student", getattr(limits, figure)
    student, teacher = by_role.get(STUDENT), by_role.get(TEACHER)
    own_key = (*key, STUDENT)
    if figure == "disparate_impact":
        own = check_ratio(what, own_key, student, limit, why_not)
        theirs = None if teacher is None else ratio_distance(teacher.value)
    else:
        own = check_difference(what, own_key, student, limit, why_not)
        theirs = None if teacher is None else abs(teacher.value)
    growth = None if own.distance is None or theirs is None else own.distance - theirs
    more = Estimate(max(growth, 0.0)) if growth is not None and np.isfinite(growth) else None
    what = f"{where}, {figure.replace('_', ' ')}, further from parity than the teacher by"
    return [own, check_difference(what, (*key, AMPLIFICATION), more, limits.amplification, why_not)]

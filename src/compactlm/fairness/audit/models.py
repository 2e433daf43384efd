"""Bias of a task's models on test rows, measured by aif360's ClassificationMetric, teacher and student side by side.

Of the favourable label, one group against another: disparate impact is the ratio of the shares of rows that are predicted it
(parity: 1), statistical parity difference their difference; equal opportunity difference that of the shares among rows that have
it, average odds difference the mean of that and of the same among rows that do not (Hardt et al. 2016,
https://arxiv.org/abs/1610.02413; parity: 0). Amplification is the student's figure minus the teacher's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.audit.aif import make_classification_metric, make_dataset
from compactlm.fairness.audit.labels import pair_name, pairs, positions
from compactlm.fairness.groups import categorise, category_names, only
from compactlm.figures.bootstrap import Array, Estimate, estimate, ratio, resampled_sums
from compactlm.params import Attribute, BiasAudit

TEACHER, STUDENT, AMPLIFICATION = "teacher", "student", "amplification"
FIGURES = ("disparate_impact", "statistical_parity_difference", "equal_opportunity_difference", "average_odds_difference")
COUNTS = ("rows", "right", "predicted", "favorable", "hits", "others", "false_alarms")  # of a category, by which all is computed

Figures = dict[str, dict[str, Estimate]]  # by name of the figure, and by teacher, student or amplification


@dataclasses.dataclass(frozen=True)
class PairAudit:
    """One group against another: the figures that could be judged, and by name why the others could not."""

    group: str
    reference: str
    figures: Figures
    why_not: dict[str, str]

    def metrics(self) -> dict[str, object]:
        """Return each figure's estimates by role, with `judged` (0 or 1)."""
        found: dict[str, object] = {name: {"judged": 0} for name in self.why_not}
        for name, by_role in self.figures.items():
            numbers = {key: value for role, known in by_role.items() for key, value in known.metrics(role).items()}
            found[name] = {"judged": int(name not in self.why_not), **numbers}
        return found


@dataclasses.dataclass(frozen=True)
class GroupAudit:
    """What an audit of one attribute found: rows a category, accuracy by role and category, and the pairs of groups.

    A category with fewer rows than `minimum` is marked as not to be judged.
    """

    minimum: int
    rows: dict[str, int]
    accuracy: Figures
    pairs: list[PairAudit]

    def metrics(self) -> dict[str, object]:
        """Return nested numbers."""
        accuracy = {
            category: {
                "judged": int(self.rows[category] >= self.minimum),
                **{key: value for role, known in by_role.items() for key, value in known.metrics(role).items()},
            }
            for category, by_role in self.accuracy.items()
            if by_role
        }
        return {
            "rows": self.rows,
            "accuracy": accuracy,
            **{pair_name(found.group, found.reference): found.metrics() for found in self.pairs},
        }


def audit_groups(
    rows: Sequence[Document],
    name: str,
    favorable: Sequence[bool],
    right: Mapping[str, Sequence[bool]],
    predicted: Mapping[str, Sequence[bool]],
    settings: BiasAudit,
    seed: int,
) -> GroupAudit:
    """Audit one attribute.

    Args:
        rows: labelled test rows.
        name: of the attribute.
        favorable: whether each row has the favourable label.
        right: by role (TEACHER, STUDENT), whether each row is predicted right; of more labels than two that is more than `predicted`.
        predicted: by role, whether each row is predicted the favourable label.
        settings: the section of params.yaml.
        seed: of the bootstrap, in which teacher and student see the same resamples.
    """
    attribute = settings.attributes[name]
    categories, names = categorise(rows, name, attribute), category_names(attribute)
    counted = _counts(categories, names, favorable, right, predicted)
    documents = [f"{row.source}/{row.document}" for row in rows]
    shape = (-1, len(right), len(COUNTS), len(names))
    drawn = resampled_sums(counted, documents, settings.bootstrap, seed).reshape(shape)
    sums = counted.sum(axis=0).reshape(shape)[0]
    confidence = settings.bootstrap.confidence
    accuracy: Figures = {}
    for column, category in enumerate(names):
        point = ratio(_of(sums, "right"), _of(sums, "rows"))[:, column]
        accuracy[category] = _by_role(list(right), point, ratio(_of(drawn, "right"), _of(drawn, "rows"))[..., column], confidence)
    found = []
    for group, reference in pairs(attribute):
        why_not = _why_not(sums[0], names, (group, reference), settings.minimum_group_rows)
        if set(why_not) == set(FIGURES) and attribute.privileged not in (group, reference):
            continue
        columns = [names.index(only(group)), names.index(only(reference))]
        resampled = _figures(drawn[..., columns])
        figures: Figures = {}
        points = [_by_aif360(categories, (group, reference), favorable, predicted[role]) for role in right]
        for position, figure in enumerate(FIGURES):
            if figure in why_not:
                continue
            by_role = _by_role(list(right), np.array([point[figure] for point in points]), resampled[position], confidence)
            if set(right) <= set(by_role):
                figures[figure] = by_role
            else:
                why_not[figure] = "the figure is no finite number, for a share that it divides by is 0"
        found.append(PairAudit(group, reference, figures, why_not))
    return GroupAudit(settings.minimum_group_rows, {category: categories.count(category) for category in names}, accuracy, found)


def _counts(
    categories: Sequence[str],
    names: Sequence[str],
    favorable: Sequence[bool],
    right: Mapping[str, Sequence[bool]],
    predicted: Mapping[str, Sequence[bool]],
) -> Array:
    """Return for each row, role, count and category, in this order, whether the row counts: float [rows, roles * COUNTS * categories]."""
    member = np.array([[name == own for name in names] for own in categories], np.float64).reshape(-1, len(names))
    has = np.asarray(favorable, np.float64)
    parts = []
    for role in right:
        correct, says = np.asarray(right[role], np.float64), np.asarray(predicted[role], np.float64)
        each = (np.ones_like(has), correct, says, has, has * says, 1 - has, (1 - has) * says)
        parts += [member * count[:, None] for count in each]
    return np.concatenate(parts, axis=1)


def _of(counts: Array, name: str) -> Array:
    """Return one count, [..., roles, categories], of counts [..., roles, COUNTS, categories]."""
    return counts[..., COUNTS.index(name), :]


def _figures(counts: Array) -> list[Array]:
    """Return FIGURES, each [resamples, roles], of the counts of two groups, [resamples, roles, COUNTS, 2]."""
    selected = ratio(_of(counts, "predicted"), _of(counts, "rows"))
    hits, alarms = ratio(_of(counts, "hits"), _of(counts, "favorable")), ratio(_of(counts, "false_alarms"), _of(counts, "others"))
    opportunity, alarm = hits[..., 0] - hits[..., 1], alarms[..., 0] - alarms[..., 1]
    return [ratio(selected[..., 0], selected[..., 1]), selected[..., 0] - selected[..., 1], opportunity, (opportunity + alarm) / 2]


def _by_aif360(
    categories: Sequence[str], groups: tuple[str, str], favorable: Sequence[bool], predicted: Sequence[bool]
) -> dict[str, float]:
    compared = positions(categories, groups)
    dataset = make_dataset(
        [categories[at] == only(groups[1]) for at in compared], [favorable[at] for at in compared], [1.0] * len(compared)
    )
    metric = make_classification_metric(dataset, [predicted[at] for at in compared])
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: float(getattr(metric, name)()) for name in FIGURES}


def _by_role(roles: Sequence[str], points: Array, drawn: Array, confidence: float) -> dict[str, Estimate]:
    """Return estimates by role, and the amplification, of points [roles] and resamples [resamples, roles]."""
    found = {role: estimate(float(points[at]), drawn[:, at], confidence) for at, role in enumerate(roles)}
    if {TEACHER, STUDENT} <= set(roles):
        student, teacher = list(roles).index(STUDENT), list(roles).index(TEACHER)
        with np.errstate(invalid="ignore"):  # a ratio over 0 on both sides
            found[AMPLIFICATION] = estimate(float(points[student] - points[teacher]), drawn[:, student] - drawn[:, teacher], confidence)
    return {role: known for role, known in found.items() if known}


def _why_not(counts: Array, names: Sequence[str], groups: Sequence[str], minimum: int) -> dict[str, str]:
    """Say by figure which group has too few rows of those that the figure counts; `counts` [COUNTS, categories] are of any role."""
    needed = {figure: ["rows"] for figure in FIGURES}
    needed["equal_opportunity_difference"] = ["rows", "favorable"]
    needed["average_odds_difference"] = ["rows", "favorable", "others"]
    said = {"rows": "", "favorable": " with the favourable label", "others": " with another label"}
    found: dict[str, str] = {}
    for figure, kinds in needed.items():
        for kind in kinds:
            for group in groups:
                count = int(_of(counts[None], kind)[0, names.index(only(group))])
                if count < minimum:
                    why = f"{group} and no other group: {count:,} rows{said[kind]}, at least {minimum:,} are needed"
                    found.setdefault(figure, why)
    return found


def compared_with_privileged(attribute: Attribute, found: GroupAudit) -> list[PairAudit]:
    """Return the pairs whose reference is the privileged group."""
    return [pair for pair in found.pairs if pair.reference == attribute.privileged]

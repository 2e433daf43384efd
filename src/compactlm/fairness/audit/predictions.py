"""Bias of the predictions of teacher and student on test rows, measured by aif360's ClassificationMetric.

Each figure compares how often the favourable label is predicted for two groups. Disparate impact is the ratio of the two shares (parity:
1), and statistical parity difference is their difference (parity: 0). Equal opportunity difference is the difference of the shares among
rows that have the label. Average odds difference is the mean of this difference and of the same difference among all other rows (Hardt et
al. 2016, https://arxiv.org/abs/1610.02413).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.audit.labels import compare_groups, compare_rates, pair_name, pairs
from compactlm.fairness.groups import categorise, category_names, only
from compactlm.fairness.roles import ByRole, by_role, rule
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.params import BiasAudit

FIGURES = ("disparate_impact", "statistical_parity_difference", "equal_opportunity_difference", "average_odds_difference")
COUNTS = ("rows", "right", "predicted", "favorable", "hits", "others", "false_alarms")  # of a category; all figures are made of these
DENOMINATORS = (("rows",), ("rows",), ("rows", "favorable"), ("rows", "favorable", "others"))  # the counts that each of FIGURES divides by


@dataclasses.dataclass(frozen=True)
class GroupAudit:
    """The result of an audit of one attribute.

    Attributes:
        rows: the number of rows by category.
        accuracy: the accuracy by category and role.
        pairs: the figures by pair of groups, figure and role.
    """

    rows: dict[str, int]
    accuracy: dict[str, ByRole]
    pairs: dict[str, dict[str, ByRole]]

    def metrics(self) -> dict[str, object]:
        """Return nested figures."""
        return {"rows": self.rows, "accuracy": self.accuracy, "pairs": self.pairs}


def audit_groups(
    rows: Sequence[Document],
    name: str,
    favorable: Sequence[bool],
    right: Mapping[str, Sequence[bool]],
    predicted: Mapping[str, Sequence[bool]],
    settings: BiasAudit,
    resampler: Resampler,
) -> GroupAudit:
    """Audit one attribute.

    Pairs with the privileged group have the limits of the gate. Other pairs are left out if a group has too few rows.

    Args:
        rows: labelled test rows.
        name: the name of the attribute.
        favorable: whether each row has the favourable label.
        right: by role (TEACHER, STUDENT), whether the prediction for each row is right. With three labels or more this does not follow from
            `predicted`.
        predicted: by role, whether the favourable label is predicted for each row.
        settings: the section of params.yaml.
        resampler: the bootstrap; teacher and student have the same resamples.
    """
    attribute, needed = settings.attributes[name], settings.minimum_group_rows
    categories, names, roles = categorise(rows, name, attribute), category_names(attribute), list(right)
    counted = _counts(categories, names, favorable, right, predicted)
    shape = (-1, len(right), len(COUNTS), len(names))
    drawn = resampler.sums(counted, [f"{row.source}/{row.document}" for row in rows]).reshape(shape)
    sums = counted.sum(axis=0).reshape(shape)
    points, resampled = (dict(zip(roles, _accuracy(counts), strict=True)) for counts in (sums, drawn))
    sizes = dict(zip(names, _of(sums[0, 0], "rows").astype(int).tolist(), strict=True))
    accuracy = {
        category: by_role(
            {role: float(points[role][0, at]) for role in roles},
            {role: resampled[role][:, at] for role in roles},
            resampler,
            rows=sizes[category],
            rows_needed=needed,
        )
        for at, category in enumerate(names)
        if sizes[category]
    }
    found: dict[str, dict[str, ByRole]] = {}
    for pair in pairs(attribute):
        gated = pair[1] == attribute.privileged
        if not gated and min(sizes[only(group)] for group in pair) < needed:
            continue
        columns = [names.index(only(group)) for group in pair]
        values = {role: compare_groups(FIGURES, categories, pair, favorable=favorable, predicted=predicted[role]) for role in roles}
        samples = fairness_figures(drawn[..., columns])
        found[pair_name(*pair)] = {
            figure: by_role(
                {role: values[role][figure] for role in roles},
                dict(zip(roles, samples[figure].T, strict=True)),
                resampler,
                rule(figure, settings.gate.model) if gated else None,
                rows=int(min(_of(sums[0, 0], kind)[columns].min() for kind in kinds)),
                rows_needed=needed,
            )
            for figure, kinds in zip(FIGURES, DENOMINATORS, strict=True)
        }
    return GroupAudit(sizes, accuracy, found)


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
    """Return one of the counts, [..., categories], from counts [..., COUNTS, categories]."""
    return counts[..., COUNTS.index(name), :]


def _accuracy(counts: Array) -> Array:
    """Return the accuracy by role, resample and category."""
    return np.moveaxis(ratio(_of(counts, "right"), _of(counts, "rows")), 1, 0)


def fairness_figures(counts: Array) -> dict[str, Array]:
    """Return FIGURES, each [resamples, roles], from the counts of two groups, [resamples, roles, COUNTS, 2]."""
    impact, parity = compare_rates(ratio(_of(counts, "predicted"), _of(counts, "rows")))
    _, opportunity = compare_rates(ratio(_of(counts, "hits"), _of(counts, "favorable")))
    _, alarm = compare_rates(ratio(_of(counts, "false_alarms"), _of(counts, "others")))
    return dict(zip(FIGURES, (impact, parity, opportunity, (opportunity + alarm) / 2), strict=True))

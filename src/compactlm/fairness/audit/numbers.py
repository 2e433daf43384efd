"""Bias of numeric answers of teacher and student: scores from 0 to 1, or the share of the words that have a tag.

Each figure compares the means of two groups on test rows. Disparate impact is their ratio (parity: 1), and statistical parity difference is
their difference (parity: 0). The other figures of aif360's ClassificationMetric need a favourable label.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.audit.labels import FIGURES, compare_rates, pair_name, pairs
from compactlm.fairness.groups import categorise, category_names, only
from compactlm.fairness.roles import ByRole, by_role, rule
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.params import BiasAudit


@dataclasses.dataclass(frozen=True)
class NumberAudit:
    """The result of an audit of one attribute.

    Attributes:
        rows: the number of rows by category.
        means: the mean of the answers, by category and role.
        pairs: the figures by pair of groups, figure and role.
    """

    rows: dict[str, int]
    means: dict[str, ByRole]
    pairs: dict[str, dict[str, ByRole]]

    def metrics(self) -> dict[str, object]:
        """Return nested figures."""
        return {"rows": self.rows, "mean_outcome": self.means, "pairs": self.pairs}


def audit_numbers(
    rows: Sequence[Document], name: str, values: Mapping[str, Array], settings: BiasAudit, resampler: Resampler
) -> NumberAudit:
    """Audit one attribute.

    Pairs with the privileged group have the limits of the gate. Other pairs are left out if a group has too few rows.

    Args:
        rows: labelled test rows.
        name: the name of the attribute.
        values: by role (TEACHER, STUDENT), each row's number from 0 to 1, float [rows].
        settings: the section of params.yaml.
        resampler: the bootstrap over documents; teacher and student have the same resamples.
    """
    attribute, needed = settings.attributes[name], settings.minimum_group_rows
    categories, names, roles = categorise(rows, name, attribute), category_names(attribute), list(values)
    member = np.array([[one == own for one in names] for own in categories], np.float64).reshape(-1, len(names))
    counted = np.concatenate([member, *(member * np.asarray(values[role], np.float64)[:, None] for role in roles)], axis=1)
    shape = (-1, 1 + len(roles), len(names))
    sums = counted.sum(axis=0).reshape(shape)
    drawn = resampler.sums(counted, [f"{row.source}/{row.document}" for row in rows]).reshape(shape)
    point, resampled = (ratio(found[:, 1:], found[:, :1]) for found in (sums, drawn))  # [resamples, roles, categories]
    sizes = dict(zip(names, sums[0, 0].astype(int).tolist(), strict=True))

    def figure(of_points: Array, of_resamples: Array, fewest: int, judged_by: str | None = None) -> ByRole:
        """Return a figure of arrays [resamples, roles]."""
        return by_role(
            dict(zip(roles, of_points[0].tolist(), strict=True)),
            dict(zip(roles, of_resamples.T, strict=True)),
            resampler,
            None if judged_by is None else rule(judged_by, settings.gate.model),
            rows=fewest,
            rows_needed=needed,
        )

    means = {one: figure(point[..., at], resampled[..., at], sizes[one]) for at, one in enumerate(names) if sizes[one]}
    found: dict[str, dict[str, ByRole]] = {}
    for pair in pairs(attribute):
        fewest, gated = min(sizes[only(group)] for group in pair), pair[1] == attribute.privileged
        if not gated and fewest < needed:
            continue
        columns = [names.index(only(group)) for group in pair]
        compared = zip(FIGURES, compare_rates(point[..., columns]), compare_rates(resampled[..., columns]), strict=True)
        found[pair_name(*pair)] = {name: figure(value, samples, fewest, name if gated else None) for name, value, samples in compared}
    return NumberAudit(sizes, means, found)

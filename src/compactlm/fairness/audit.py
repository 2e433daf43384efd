"""Bias of labelled text, measured by aif360: how often each group's rows have the favourable label.

Disparate impact is the unprivileged group's base rate over the privileged group's (1 is parity), statistical parity
difference the one minus the other (0 is parity). Only rows that mention one group and no other are compared.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from compactlm.fairness.aif import make_dataset, make_metric
from compactlm.fairness.groups import Lexicon, category_names, only
from compactlm.params import Attribute


@dataclasses.dataclass(frozen=True)
class Rows:
    """Labelled rows as an audit sees them, one entry a row.

    Attributes:
        categories: from `Lexicon.categorise`.
        favorable: whether the row has the favourable label.
    """

    categories: Sequence[str]
    favorable: Sequence[bool]


@dataclasses.dataclass(frozen=True)
class Finding:
    """What an audit of one attribute found.

    Attributes:
        rows: rows a category.
        base_rates: weighted share of favourable labels a category, 0 to 1; without the empty categories.
        disparate_impact: None where it was not judged.
        statistical_parity_difference: None where it was not judged.
        why_not: why it was not judged, or None where it was.
    """

    rows: dict[str, int]
    base_rates: dict[str, float]
    disparate_impact: float | None = None
    statistical_parity_difference: float | None = None
    why_not: str | None = None

    def metrics(self) -> dict[str, object]:
        """Return numbers only: what was not judged has no disparate impact and no difference, and `judged` 0."""
        measured = {"disparate_impact": self.disparate_impact, "statistical_parity_difference": self.statistical_parity_difference}
        numbers = {name: value for name, value in measured.items() if value is not None}
        return {"judged": int(self.why_not is None), "rows": self.rows, "base_rate": self.base_rates, **numbers}


def find_rows(texts: Sequence[str], labels: Sequence[str], lexicon: Lexicon, favorable_label: str) -> Rows:
    """Return the rows for an audit; with more than two labels the favourable one is set against all others."""
    return Rows(lexicon.categorise(texts), [label == favorable_label for label in labels])


def too_small(rows: Rows, attribute: Attribute, minimum: int) -> str | None:
    """Say which of the two compared groups has too few rows to be judged, or return None."""
    for group in (attribute.unprivileged, attribute.privileged):
        count = rows.categories.count(only(group))
        if count < minimum:
            mention = "row mentions" if count == 1 else "rows mention"
            return f"only {count:,} {mention} {group} and no other group; at least {minimum:,} are needed"
    return None


def measure(rows: Rows, attribute: Attribute, minimum: int, weights: Sequence[float] | None = None) -> Finding:
    """Audit one attribute.

    Args:
        rows: the labelled rows.
        attribute: says which groups are compared.
        minimum: the fewest rows of each compared group that can be judged.
        weights: example weights, one a row; None stands for 1 each.
    """
    weights = [1.0] * len(rows.categories) if weights is None else weights
    categories = category_names(attribute)
    counts = {category: rows.categories.count(category) for category in categories}
    rates = {category: _base_rate(rows, weights, category) for category in categories}
    known = {category: rate for category, rate in rates.items() if rate is not None}
    why_not = too_small(rows, attribute, minimum)
    if why_not:
        return Finding(counts, known, why_not=why_not)
    compared = compared_positions(rows, attribute)
    metric = make_metric(
        make_dataset(
            [rows.categories[position] == only(attribute.privileged) for position in compared],
            [rows.favorable[position] for position in compared],
            [weights[position] for position in compared],
        )
    )
    difference = float(metric.statistical_parity_difference())
    if known[only(attribute.privileged)] == 0:
        reason = f"no row that mentions {attribute.privileged} only has the favourable label, so that the ratio has no value"
        return Finding(counts, known, statistical_parity_difference=_finite(difference), why_not=reason)
    return Finding(counts, known, _finite(float(metric.disparate_impact())), _finite(difference))


def compared_positions(rows: Rows, attribute: Attribute) -> list[int]:
    """Return the positions of the rows that mention the privileged or the unprivileged group, and no other."""
    compared = {only(attribute.privileged), only(attribute.unprivileged)}
    return [position for position, category in enumerate(rows.categories) if category in compared]


def _base_rate(rows: Rows, weights: Sequence[float], category: str) -> float | None:
    own = [
        (weight, favorable) for name, favorable, weight in zip(rows.categories, rows.favorable, weights, strict=True) if name == category
    ]
    total = math.fsum(weight for weight, _ in own)
    return math.fsum(weight for weight, favorable in own if favorable) / total if total else None


def _finite(value: float) -> float | None:
    # Rounded, so that parity reads 0 and 1 and not the last bits of a division; adding 0 turns -0 into 0.
    return round(value, 12) + 0.0 if math.isfinite(value) else None

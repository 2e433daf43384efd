"""Bias of labelled text, measured by aif360: how often each group's rows have a label.

Disparate impact is one group's base rate over another's (1 is parity), statistical parity difference the one minus the other (0 is
parity). Only rows of one group and no other are compared. Intervals come from the bootstrap over documents.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.audit.aif import make_dataset, make_metric
from compactlm.fairness.groups import categorise, category_names, only
from compactlm.figures.bootstrap import Array, Estimate, estimate, ratio, resampled_sums
from compactlm.params import Attribute, Bootstrap


@dataclasses.dataclass(frozen=True)
class Rows:
    """Labelled rows as an audit sees them, one entry a row.

    Attributes:
        categories: from `groups.categorise`.
        labels: names of the labels.
        documents: rows of one document are resampled together.
    """

    categories: Sequence[str]
    labels: Sequence[str]
    documents: Sequence[str]

    def first(self, count: int) -> Rows:
        """Return the first rows."""
        return Rows(self.categories[:count], self.labels[:count], self.documents[:count])


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One label's base rates in two groups, the first over the second.

    Attributes:
        group: whose base rate is the numerator.
        reference: whose is the denominator.
        label: name of the label.
        disparate_impact: None where it was not judged.
        statistical_parity_difference: None where it was not judged.
        why_not: why it was not judged, or None where it was.
    """

    group: str
    reference: str
    label: str
    disparate_impact: Estimate | None = None
    statistical_parity_difference: Estimate | None = None
    why_not: str | None = None

    def metrics(self) -> dict[str, float]:
        """Return numbers only: `judged` (0 or 1) and what was measured, with intervals."""
        numbers: dict[str, float] = {"judged": int(self.why_not is None)}
        for name in ("disparate_impact", "statistical_parity_difference"):
            found: Estimate | None = getattr(self, name)
            numbers |= found.metrics(name) if found else {}
        return numbers


@dataclasses.dataclass(frozen=True)
class Finding:
    """What an audit of one attribute found.

    Attributes:
        minimum: the fewest rows that can be judged.
        rows: rows a category.
        base_rates: weighted share of each label a category, 0 to 1; without the empty categories.
        comparisons: of every label and pair of groups.
    """

    minimum: int
    rows: dict[str, int]
    base_rates: dict[str, dict[str, Estimate]]
    comparisons: list[Comparison]

    def suffices(self, category: str) -> bool:
        """Return whether a category has rows enough for its base rates to be judged."""
        return self.rows[category] >= self.minimum

    def metrics(self) -> dict[str, object]:
        """Return nested numbers: `rows`, `base_rate` by label, and what was compared by pair and label.

        Beside the rate of X stands X_judged (0 or 1), for the rows of X may be too few.
        """
        rates = {
            label: {
                name: value
                for category, found in rates.items()
                for name, value in {**found.metrics(category), f"{category}_judged": int(self.suffices(category))}.items()
            }
            for label, rates in self.base_rates.items()
        }
        pairs: dict[str, dict[str, object]] = {}
        for found in self.comparisons:
            pairs.setdefault(pair_name(found.group, found.reference), {})[found.label] = found.metrics()
        return {"rows": self.rows, "base_rate": rates, **pairs}


def pair_name(group: str, reference: str) -> str:
    """Return the name of a pair of groups in metrics."""
    return f"{group}_to_{reference}"


def pairs(attribute: Attribute) -> Iterator[tuple[str, str]]:
    """Yield all pairs of groups: first each with the privileged one as the reference, then the others."""
    others = [group for group in attribute.groups if group != attribute.privileged]
    yield from ((group, attribute.privileged) for group in others)
    yield from ((group, reference) for reference, group in itertools.combinations(others, 2))


def find_rows(rows: Sequence[Document], name: str, attribute: Attribute) -> Rows:
    """Return labelled rows as an audit of the attribute `name` sees them."""
    return Rows(categorise(rows, name, attribute), [str(row.label) for row in rows], [f"{row.source}/{row.document}" for row in rows])


def too_small(categories: Sequence[str], groups: Sequence[str], minimum: int) -> str | None:
    """Say which of some groups has too few rows to be judged, or return None."""
    for group in groups:
        count = categories.count(only(group))
        if count < minimum:
            belong = "row belongs" if count == 1 else "rows belong"
            return f"only {count:,} {belong} to {group} and no other group; at least {minimum:,} are needed"
    return None


def measure(
    rows: Rows,
    attribute: Attribute,
    labels: Sequence[str],
    minimum: int,
    bootstrap: Bootstrap,
    seed: int,
    weights: Sequence[float] | None = None,
) -> Finding:
    """Audit one attribute.

    Pairs with the privileged group are always named, judged or not; others only where both have enough rows.

    Args:
        rows: the labelled rows.
        attribute: says which groups are compared.
        labels: names of the labels to compare.
        minimum: the fewest rows of each compared group that can be judged.
        bootstrap: how intervals are made.
        seed: of the bootstrap.
        weights: example weights, one a row; None stands for 1 each.
    """
    categories, weighted = category_names(attribute), np.ones(len(rows.categories)) if weights is None else np.asarray(weights, np.float64)
    counts = {category: rows.categories.count(category) for category in categories}
    rates, resampled = _rates(rows, categories, labels, weighted, bootstrap, seed)
    found = {
        label: {
            category: known
            for column, category in enumerate(categories)
            if (known := estimate(float(rates[line, column]), resampled[:, line, column], bootstrap.confidence))
        }
        for line, label in enumerate(labels)
    }
    comparisons = []
    for group, reference in pairs(attribute):
        why_not = too_small(rows.categories, (group, reference), minimum)
        if why_not and attribute.privileged not in (group, reference):
            continue
        for line, label in enumerate(labels):
            if why_not:
                comparisons.append(Comparison(group, reference, label, why_not=why_not))
                continue
            columns = [categories.index(only(name)) for name in (group, reference)]
            own, other = (resampled[:, line, column] for column in columns)
            comparisons.append(_compare(rows, (group, reference), label, weighted, own, other, bootstrap.confidence))
    return Finding(minimum, counts, found, comparisons)


def _rates(
    rows: Rows, categories: Sequence[str], labels: Sequence[str], weights: Array, bootstrap: Bootstrap, seed: int
) -> tuple[Array, Array]:
    """Return the base rates, float [labels, categories], and those of each resample, float [resamples, labels, categories]."""
    member = np.array([[name == category for category in categories] for name in rows.categories], np.float64).reshape(-1, len(categories))
    member *= weights[:, None]
    has = np.array([[name == label for label in labels] for name in rows.labels], np.float64).reshape(-1, len(labels))
    values = np.concatenate([member, *(member * has[:, [line]] for line in range(len(labels)))], axis=1)
    shape = (-1, 1 + len(labels), len(categories))
    sums, drawn = values.sum(axis=0).reshape(shape), resampled_sums(values, rows.documents, bootstrap, seed).reshape(shape)
    return ratio(sums[0, 1:], sums[0, :1]), ratio(drawn[:, 1:], drawn[:, :1])


def _compare(rows: Rows, groups: tuple[str, str], label: str, weights: Array, own: Array, other: Array, confidence: float) -> Comparison:
    compared = positions(rows.categories, groups)
    privileged = [rows.categories[at] == only(groups[1]) for at in compared]
    has = [rows.labels[at] == label for at in compared]
    metric = make_metric(make_dataset(privileged, has, [float(weights[at]) for at in compared]))
    difference = estimate(float(metric.statistical_parity_difference()), own - other, confidence)
    if not any(mine and reference for mine, reference in zip(has, privileged, strict=True)):
        reason = f"no row of {groups[1]} only has the label {label}, so that the ratio has no value"
        return Comparison(*groups, label, statistical_parity_difference=difference, why_not=reason)
    impact = estimate(float(metric.disparate_impact()), ratio(own, other), confidence)
    why_not = None if impact and difference else "the ratio or the difference is no finite number"
    return Comparison(*groups, label, impact, difference, why_not)


def positions(categories: Sequence[str], groups: Sequence[str]) -> list[int]:
    """Return the positions of the rows that belong to one of these groups, and to no other."""
    compared = {only(group) for group in groups}
    return [position for position, category in enumerate(categories) if category in compared]

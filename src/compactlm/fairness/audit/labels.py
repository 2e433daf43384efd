"""Bias of labelled text, measured by aif360: the share of each group's rows that have a label, or the mean of a number from 0 to 1.

The base rate of a group is this share or mean. Disparate impact is the base rate of one group divided by that of another (parity: 1).
Statistical parity difference is the first minus the second (parity: 0). Only rows that belong to exactly one group are compared. Confidence
intervals come from the bootstrap over documents.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from compactlm.artifacts import Document
from compactlm.fairness.audit.aif import compute_figures
from compactlm.fairness.groups import categorise, category_names, only
from compactlm.figures.bootstrap import Array, Resampler, ratio
from compactlm.figures.figure import Figure, Limit
from compactlm.params import Attribute

FIGURES = ("disparate_impact", "statistical_parity_difference")


@dataclasses.dataclass(frozen=True)
class Rows:
    """The columns of labelled rows that an audit needs, with one entry per row.

    Attributes:
        categories: from `groups.categorise`.
        labels: names of the labels.
        documents: the document of each row; rows of one document are resampled together.
        values: numbers from 0 to 1, by the name of an outcome, for tasks whose rows have several labels or a number.
    """

    categories: Sequence[str]
    labels: Sequence[str]
    documents: Sequence[str]
    values: Mapping[str, Array] = dataclasses.field(default_factory=dict)

    def first(self, count: int) -> Rows:
        """Return the first rows."""
        values = {name: numbers[:count] for name, numbers in self.values.items()}
        return Rows(self.categories[:count], self.labels[:count], self.documents[:count], values)

    def has(self, name: str) -> list[float]:
        """Return each row's number for an outcome. For a label it is 1.0 if the row has this label, else 0.0."""
        if name in self.values:
            return [float(number) for number in self.values[name]]
        return [float(label == name) for label in self.labels]


@dataclasses.dataclass(frozen=True)
class Finding:
    """The result of an audit of one attribute.

    Attributes:
        rows: the number of rows by category.
        base_rates: by label and category, the weighted share of rows with the label, 0 to 1; empty categories are left out.
        pairs: by pair of groups, label and name of the figure: disparate_impact and statistical_parity_difference.
    """

    rows: dict[str, int]
    base_rates: dict[str, dict[str, Figure]]
    pairs: dict[str, dict[str, dict[str, Figure]]]

    def metrics(self) -> dict[str, object]:
        """Return nested figures."""
        return {"rows": self.rows, "base_rate": self.base_rates, "pairs": self.pairs}


def pair_name(group: str, reference: str) -> str:
    """Return the name of a pair of groups in metrics."""
    return f"{group}_to_{reference}"


def pairs(attribute: Attribute) -> Iterator[tuple[str, str]]:
    """Yield all pairs of groups: first each group against the privileged one, then the other pairs."""
    others = [group for group in attribute.groups if group != attribute.privileged]
    yield from ((group, attribute.privileged) for group in others)
    yield from ((group, reference) for reference, group in itertools.combinations(others, 2))


def find_rows(rows: Sequence[Document], name: str, attribute: Attribute, values: Mapping[str, Array] = MappingProxyType({})) -> Rows:
    """Return the columns that an audit of the attribute `name` needs; see Rows for `values`."""
    documents = [f"{row.source}/{row.document}" for row in rows]
    return Rows(categorise(rows, name, attribute), [str(row.label) for row in rows], documents, values)


def compare_rates(rates: Array) -> tuple[Array, Array]:
    """Return disparate impact and statistical parity difference of the rates of two groups, [..., 2]; nan where the second is 0."""
    own, reference = rates[..., 0], rates[..., 1]
    return ratio(own, reference), own - reference


def measure(
    rows: Rows,
    attribute: Attribute,
    labels: Sequence[str],
    minimum: int,
    resampler: Resampler,
    weights: Sequence[float] | None = None,
    limits: Mapping[str, Mapping[str, Limit]] | None = None,
) -> Finding:
    """Audit one attribute.

    Pairs with the privileged group are always listed, even if they have too few rows to be judged. Other pairs are listed only if both
    groups have enough rows.

    Args:
        rows: the labelled rows.
        attribute: says which groups are compared.
        labels: names of the labels (or other outcomes) to compare.
        minimum: the smallest number of rows that each compared group needs to be judged.
        resampler: makes the confidence intervals.
        weights: example weights, one per row; None means 1 for each row.
        limits: the limits of the gate, by label and figure, for pairs with the privileged group.
    """
    categories, weighted = category_names(attribute), np.ones(len(rows.categories)) if weights is None else np.asarray(weights, np.float64)
    sizes = {category: rows.categories.count(category) for category in categories}
    rates, resampled = _rates(rows, categories, labels, weighted, resampler)
    found = {
        label: {
            category: resampler.figure(float(rates[line, at]), resampled[:, line, at], rows=sizes[category], rows_needed=minimum)
            for at, category in enumerate(categories)
            if sizes[category]
        }
        for line, label in enumerate(labels)
    }
    has = {label: rows.has(label) for label in labels}
    compared: dict[str, dict[str, dict[str, Figure]]] = {}
    for pair in pairs(attribute):
        gated, fewest = pair[1] == attribute.privileged, min(sizes[only(group)] for group in pair)
        if not gated and fewest < minimum:
            continue
        columns = [categories.index(only(group)) for group in pair]
        compared[pair_name(*pair)] = {
            label: {
                figure: resampler.figure(
                    value, drawn, rows=fewest, rows_needed=minimum, limit=(limits or {}).get(label, {}).get(figure) if gated else None
                )
                for (figure, value), drawn in zip(
                    _compared(rows.categories, pair, has[label], weighted, rates[line, columns]).items(),
                    compare_rates(resampled[:, line, columns]),
                    strict=True,
                )
            }
            for line, label in enumerate(labels)
        }
    return Finding(sizes, found, compared)


def _rates(rows: Rows, categories: Sequence[str], labels: Sequence[str], weights: Array, resampler: Resampler) -> tuple[Array, Array]:
    """Return the base rates, float [labels, categories], and those of each resample, float [resamples, labels, categories]."""
    member = np.array([[name == category for category in categories] for name in rows.categories], np.float64).reshape(-1, len(categories))
    member *= weights[:, None]
    has = np.array([rows.has(label) for label in labels], np.float64).reshape(len(labels), -1).T
    values = np.concatenate([member, *(member * has[:, [line]] for line in range(len(labels)))], axis=1)
    shape = (-1, 1 + len(labels), len(categories))
    sums, drawn = values.sum(axis=0).reshape(shape), resampler.sums(values, rows.documents).reshape(shape)
    return ratio(sums[0, 1:], sums[0, :1]), ratio(drawn[:, 1:], drawn[:, :1])


def _compared(categories: Sequence[str], pair: tuple[str, str], has: Sequence[float], weights: Array, rates: Array) -> dict[str, float]:
    """Return FIGURES of a pair of groups by aif360. aif360 supports only labels, so figures of other numbers are computed from means."""
    if any(number not in (0.0, 1.0) for number in has):
        return dict(zip(FIGURES, map(float, compare_rates(rates)), strict=True))
    favorable = [number == 1.0 for number in has]
    return compare_groups(FIGURES, categories, pair, favorable=favorable, weights=weights.tolist())


def compare_groups(
    figures: Sequence[str], categories: Sequence[str], groups: tuple[str, str], **columns: Sequence[Any]
) -> dict[str, float]:
    """Return figures of the rows of two groups, by aif360; `columns` are those of `compute_figures`, with one entry for each row."""
    compared = positions(categories, groups)
    privileged = [categories[at] == only(groups[1]) for at in compared]
    return compute_figures(figures, privileged, **{name: [column[at] for at in compared] for name, column in columns.items()})


def positions(categories: Sequence[str], groups: Sequence[str]) -> list[int]:
    """Return the positions of the rows that belong to exactly one group, which is one of these."""
    compared = {only(group) for group in groups}
    return [position for position, category in enumerate(categories) if category in compared]

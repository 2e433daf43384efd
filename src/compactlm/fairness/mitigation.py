"""Example weights that make the favourable label equally frequent in both compared groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from compactlm.fairness.aif import make_dataset, reweigh
from compactlm.fairness.audit import Rows, compared_positions, too_small
from compactlm.fairness.groups import only
from compactlm.params import Attribute


def reweighing(rows: Rows, attribute: Attribute, minimum: int) -> list[float]:
    """Weigh rows by Reweighing (Kamiran and Calders 2012, https://doi.org/10.1007/s10115-011-0463-8).

    A row's weight is what the frequency of its group and label would be if they were independent, over what it is. Rows
    that mention none or several groups keep 1. Nothing is weighted where a group has fewer rows than `minimum`, or lacks
    the favourable or the other label altogether, since no weights can make up for rows that do not exist.

    Returns:
        One weight a row, with mean 1.
    """
    weights = [1.0] * len(rows.categories)
    compared = compared_positions(rows, attribute)
    cells = {(rows.categories[position], rows.favorable[position]) for position in compared}
    if too_small(rows, attribute, minimum) or len(cells) < 4:
        return weights
    dataset = make_dataset(
        [rows.categories[position] == only(attribute.privileged) for position in compared],
        [rows.favorable[position] for position in compared],
        [1.0] * len(compared),
    )
    for position, weight in zip(compared, reweigh(dataset), strict=True):
        weights[position] = weight
    return weights


def combined(rows: Mapping[str, Rows], attributes: Mapping[str, Attribute], minimum: int, count: int) -> list[float]:
    """Reweigh `count` rows for each attribute; several attributes' weights are multiplied and scaled to mean 1.

    A product of weights balances each attribute exactly only where the attributes are independent of one another, so
    the audit after mitigation says how near it came.
    """
    each = [reweighing(rows[name], attribute, minimum) for name, attribute in attributes.items()]
    if not each:
        return [1.0] * count
    return each[0] if len(each) == 1 else _mean_one([math.prod(weights) for weights in zip(*each, strict=True)])


def _mean_one(weights: Sequence[float]) -> list[float]:
    total = math.fsum(weights)
    return [weight * len(weights) / total for weight in weights]

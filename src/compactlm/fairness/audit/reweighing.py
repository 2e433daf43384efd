"""Example weights that make the favourable label equally frequent in all groups."""

from __future__ import annotations

import math
from collections.abc import Mapping

from compactlm.fairness.audit.aif import make_dataset, reweigh
from compactlm.fairness.audit.labels import Rows, positions
from compactlm.fairness.groups import only
from compactlm.params import Attribute


def reweighing(rows: Rows, attribute: Attribute, favorable: str, minimum: int) -> list[float]:
    """Weigh rows by Reweighing (Kamiran and Calders 2012, https://doi.org/10.1007/s10115-011-0463-8).

    A row's weight is the frequency that its group and label would have if they were independent, divided by their actual frequency. aif360
    compares two groups. With more groups, each group is compared with all others in turn. These rows keep the weight 1: rows of no group or
    of several groups, rows of a group that has fewer rows than `minimum` or only one kind of label, and rows with numbers other than 0 and
    1. If fewer than two groups are left, all weights are 1.

    Returns:
        One weight per row, with mean 1.
    """
    weights = [1.0] * len(rows.categories)
    groups = [group for group in attribute.groups if _can_be_weighted(rows, group, favorable, minimum)]
    if len(groups) < 2:
        return weights
    compared = positions(rows.categories, groups)
    labelled = rows.has(favorable)
    has = [labelled[position] == 1.0 for position in compared]
    for group in groups:
        belongs = [rows.categories[position] == only(group) for position in compared]
        found = reweigh(make_dataset(belongs, has, [1.0] * len(compared)))
        for position, own, weight in zip(compared, belongs, found, strict=True):
            if own:
                weights[position] = weight
    return weights


def _can_be_weighted(rows: Rows, group: str, favorable: str, minimum: int) -> bool:
    own = positions(rows.categories, [group])
    labelled = rows.has(favorable)
    return len(own) >= minimum and {labelled[position] for position in own} == {0.0, 1.0}


def combined(rows: Mapping[str, Rows], attributes: Mapping[str, Attribute], favorable: str, minimum: int, count: int) -> list[float]:
    """Reweigh `count` rows for each attribute. The weights of several attributes are multiplied and scaled to mean 1.

    The product balances each attribute exactly only if the attributes are independent. The audit after mitigation measures the result.
    """
    each = [reweighing(rows[name], attribute, favorable, minimum) for name, attribute in attributes.items()]
    if not each:
        return [1.0] * count
    if len(each) == 1:
        return each[0]
    weights = [math.prod(product) for product in zip(*each, strict=True)]
    total = math.fsum(weights)
    return [weight * len(weights) / total for weight in weights]

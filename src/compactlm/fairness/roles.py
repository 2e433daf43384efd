"""A fairness figure of teacher and student, and how much further from parity the student is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from compactlm.figures.bootstrap import Array, Resampler
from compactlm.figures.figure import Figure, Limit
from compactlm.params import ModelLimits

TEACHER, STUDENT, AMPLIFICATION, DIFFERENCE = "teacher", "student", "amplification", "difference"

ByRole = dict[str, Figure]  # by TEACHER, STUDENT, and AMPLIFICATION or DIFFERENCE


def ratio_distance(values: Array) -> Array:
    """Return how far ratios are from parity, 0 to 1: one minus the smaller of the ratio and its inverse."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - np.minimum(values, 1 / values)


@dataclasses.dataclass(frozen=True)
class Rule:
    """The rule by which the gate judges a figure.

    Attributes:
        limit: the acceptable values of the student's figure.
        amplification: the largest acceptable difference of the distances from parity, student minus teacher.
        distance: a function that returns the distance of values from parity.
    """

    limit: Limit
    amplification: float
    distance: Callable[[Array], Array]


def ratio_limit(least: float) -> Limit:
    """Return the limit of a ratio: the ratio and its inverse must be at least `least`."""
    return Limit(least, 1 / least if least else None)


def difference_limit(greatest: float) -> Limit:
    """Return the limit of a figure whose parity is 0."""
    return Limit(-greatest, greatest)


def rule(figure: str, limits: ModelLimits) -> Rule:
    """Return the rule by which the model gate judges a figure, by the name of its limit."""
    limit = getattr(limits, figure)
    if figure == "disparate_impact":
        return Rule(ratio_limit(limit), limits.amplification, ratio_distance)
    return Rule(difference_limit(limit), limits.amplification, np.abs)


def by_role(
    points: Mapping[str, float], drawn: Mapping[str, Array], resampler: Resampler, judged_by: Rule | None = None, **about: Any
) -> ByRole:
    """Return a figure of each model and, if there are two, how the student differs from the teacher.

    The student's figure has the limit of the rule. AMPLIFICATION is the student's distance from parity minus the teacher's, with an
    interval from paired resamples. Without a rule parity is not defined, and DIFFERENCE (student minus teacher) replaces AMPLIFICATION.

    Args:
        points: by role, the figure on all rows.
        drawn: by role, the figure on each resample [resamples].
        resampler: makes the confidence intervals.
        judged_by: the rule of the gate, or None.
        about: `rows` and `rows_needed`.
    """
    limits = {STUDENT: judged_by.limit} if judged_by else {}
    found = {role: resampler.figure(points[role], drawn[role], limit=limits.get(role), **about) for role in points}
    if {TEACHER, STUDENT} <= set(points):
        values = {role: (np.asarray(points[role]), drawn[role]) for role in (TEACHER, STUDENT)}
        if judged_by:
            values = {role: (judged_by.distance(point), judged_by.distance(samples)) for role, (point, samples) in values.items()}
        (theirs, theirs_drawn), (own, own_drawn) = values[TEACHER], values[STUDENT]
        limit = Limit(high=judged_by.amplification) if judged_by else None
        name = AMPLIFICATION if judged_by else DIFFERENCE
        with np.errstate(invalid="ignore"):  # the difference of two infinite ratios is nan
            found[name] = resampler.figure(float(own - theirs), own_drawn - theirs_drawn, limit=limit, **about)
    return found

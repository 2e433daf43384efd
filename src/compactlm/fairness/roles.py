"""One fairness figure of teacher and student, and how much further from parity the student is."""

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
    """Return how far ratios are from parity, 0 to 1: one minus the ratio or its inverse, whichever is less than 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - np.minimum(values, 1 / values)


@dataclasses.dataclass(frozen=True)
class Rule:
    """How the gate judges a figure.

    Attributes:
        limit: the acceptable values of the student's figure.
        amplification: the greatest acceptable difference of the distances from parity, student minus teacher.
        distance: the distance of values from parity.
    """

    limit: Limit
    amplification: float
    distance: Callable[[Array], Array]


def ratio_limit(least: float) -> Limit:
    """Return the limit of a ratio: it and its inverse must be at least `least`."""
    return Limit(least, 1 / least if least else None)


def difference_limit(greatest: float) -> Limit:
    """Return the limit of a figure whose parity is 0."""
    return Limit(-greatest, greatest)


def rule(figure: str, limits: ModelLimits) -> Rule:
    """Return how the model gate judges a figure, by the name of its limit."""
    limit = getattr(limits, figure)
    if figure == "disparate_impact":
        return Rule(ratio_limit(limit), limits.amplification, ratio_distance)
    return Rule(difference_limit(limit), limits.amplification, np.abs)


def by_role(
    points: Mapping[str, float], drawn: Mapping[str, Array], resampler: Resampler, judged_by: Rule | None = None, **about: Any
) -> ByRole:
    """Return a figure of each model and, of two models, how the student differs from the teacher.

    The student's figure has the limit of its rule. AMPLIFICATION is the distance of the student from parity minus that of the teacher,
    with an interval from the paired resamples. Without a rule there is no parity, and DIFFERENCE is student minus teacher.

    Args:
        points: by role, the figure on the rows as they are.
        drawn: by role, the figure on each resample [resamples].
        resampler: makes the intervals.
        judged_by: the rule of the gate.
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

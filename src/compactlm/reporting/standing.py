"""Where a measured bias stands before the gates' limits: the one place where the page and the card hold figures against thresholds.

The gates count violations; which figures they are is told here, by the same arithmetic (compactlm.fairness.gate) on the figures in
reports/metrics and the limits in params.yaml.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from compactlm.fairness.gate import NOT_JUDGED, VIOLATED, Check, check_difference, check_ratio
from compactlm.params import DataLimits, ModelLimits

# Of the figures of stereotypes those that a gate judges: the limit's name in params.yaml, and where parity is.
STEREOTYPES = {"preference": ("stereotype_preference", 0.5)}


@dataclasses.dataclass(frozen=True)
class Standing:
    """What a gate says of a student's figure.

    Attributes:
        judged: whether it could be judged.
        outside: whether the figure itself lies outside its limit.
        growth: how much further from parity than the teacher's it is, 0 where it is nearer; None where that is not known.
        amplified: whether that is more than the limit.
    """

    judged: bool = True
    outside: bool = False
    growth: float | None = None
    amplified: bool = False

    @property
    def passed(self) -> bool:
        """Whether nothing is violated, and all could be judged."""
        return self.judged and not self.outside and not self.amplified


def of_data(figure: str, value: float | None, limits: DataLimits) -> Standing:
    """Return where disparate impact or a difference of the train rows stands."""
    check = _check(figure, value, getattr(limits, figure))
    return Standing(check.status != NOT_JUDGED, check.status == VIOLATED)


def of_model(figure: str, part: Mapping[str, Any], limits: ModelLimits) -> Standing:
    """Return where a figure by teacher and student stands; `part` says by `judged` whether it can be judged.

    Args:
        figure: the name of its limit.
        part: the figure by role.
        limits: of the model gate.
    """
    if not part.get("judged"):
        return Standing(judged=False)
    parity = dict(STEREOTYPES.values()).get(figure, 0.0)
    student, teacher = (_check(figure, part.get(role), getattr(limits, figure), parity) for role in ("student", "teacher"))
    if student.distance is None or teacher.distance is None:
        return Standing(judged=False)
    growth = max(student.distance - teacher.distance, 0.0)
    more = check_difference(figure, growth, limits.amplification)
    return Standing(student.status != NOT_JUDGED, student.status == VIOLATED, growth, more.status == VIOLATED)


def of_stereotypes(kind: str, one: Mapping[str, Any], limits: ModelLimits) -> Standing | None:
    """Return where a figure of stereotypes stands; None where no gate judges it."""
    if kind not in STEREOTYPES:
        return None
    return of_model(STEREOTYPES[kind][0], {**one.get(kind, {}), "judged": one["judged"]}, limits)


def _check(figure: str, value: float | None, limit: float, parity: float = 0.0) -> Check:
    return check_ratio(figure, value, limit) if figure == "disparate_impact" else check_difference(figure, value, limit, parity=parity)


def together(gates: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the gates of several tasks as one: it is passed where all of them are."""
    listed = [gate for gate in gates if gate.get("checks")]
    counted = {name: sum(gate[name] for gate in listed) for name in ("checks", "violations", "not_judged")}
    return {**counted, "passed": int(bool(listed) and all(gate["passed"] for gate in listed))}

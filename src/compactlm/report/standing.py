"""Where a measured bias stands before the gates' limits: the one place where the page and the card hold figures against thresholds.

The gates count violations; which figures they are is told here, by the same arithmetic (compactlm.fairness.gate) on the figures in
reports/metrics and the limits in params.yaml.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from compactlm.errors import CompactLMError
from compactlm.fairness.gate import NAMED
from compactlm.figures.figure import SLACK
from compactlm.params import DataLimits, ModelLimits
from compactlm.report.findings import Findings
from compactlm.report.numbers import words


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
    distance = _distance(figure, value)
    return Standing(distance is not None, _exceeds(distance, _greatest(figure, limits)))


def of_model(figure: str, part: Mapping[str, Any], limits: ModelLimits) -> Standing:
    """Return where a figure by teacher and student stands; `part` says by `judged` whether it can be judged.

    Args:
        figure: the name of its limit.
        part: the figure by role.
        limits: of the model gate.
    """
    student, teacher = (_distance(figure, part.get(role)) for role in ("student", "teacher"))
    if not part.get("judged") or student is None or teacher is None:
        return Standing(judged=False)
    growth = max(student - teacher, 0.0)
    return Standing(True, _exceeds(student, _greatest(figure, limits)), growth, _exceeds(growth, limits.amplification))


def of_stereotypes(kind: str, one: Mapping[str, Any], limits: ModelLimits) -> Standing | None:
    """Return where a figure of stereotypes stands; None where no gate judges it."""
    if kind != "log_odds_gap":
        return None
    return of_model("stereotype_log_odds_gap", {**one.get(kind, {}), "judged": one["judged"]}, limits)


def _distance(figure: str, value: float | None) -> float | None:
    """Return how far a figure is from parity, or None where that is no finite number."""
    if value is None:
        return None
    distance = (1 - min(value, 1 / value) if value > 0 else 1.0) if figure == "disparate_impact" else abs(value)
    return distance if distance is not None and math.isfinite(distance) else None


def _greatest(figure: str, limits: DataLimits | ModelLimits) -> float:
    limit: float = getattr(limits, figure)
    return 1 - limit if figure == "disparate_impact" else limit


def _exceeds(distance: float | None, limit: float) -> bool:
    return distance is not None and distance > limit + SLACK


def enforce_model_gate(found: Findings, report: str) -> None:
    """End the stage where the model gate did not pass and `on_violation` is fail; the report must be written by then.

    Args:
        found: what the run found.
        report: where the reader finds the whole.

    Raises:
        CompactLMError: something was violated or could not be judged.
    """
    gate = found.fairness.get("gate", {})
    if found.params.bias_audit.gate.on_violation != "fail" or not gate.get("checks") or gate["passed"]:
        return
    bad = [", ".join(words(part) for part in path) for path, mark in _marks(gate["figures"]) if mark.get("violated", not mark["judged"])]
    more = [f"{len(bad) - NAMED} more"] if len(bad) > NAMED else []
    raise CompactLMError(
        f"the model gate is not passed ({gate['violations']} violated, {gate['not_judged']} not judged, of {gate['checks']} checks): "
        f"{'; '.join([*bad[:NAMED], *more])}; see {report}, mend the data or choose another mitigation, loosen bias_audit.gate.model, or "
        "set bias_audit.gate.on_violation to warn"
    )


def _marks(figures: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Mapping[str, int]]]:
    """Yield the place of each figure that a gate held against a limit, and whether it was judged and is violated."""
    if "judged" in figures:
        yield path, figures
        return
    for name, inner in figures.items():
        yield from _marks(inner, (*path, name))


def together(gates: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the gates of several tasks as one: it is passed where all of them are."""
    listed = [gate for gate in gates if gate.get("checks")]
    counted = {name: sum(gate[name] for gate in listed) for name in ("checks", "violations", "not_judged")}
    return {**counted, "passed": int(bool(listed) and all(gate["passed"] for gate in listed))}

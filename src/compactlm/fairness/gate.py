"""The gate: measured bias held against thresholds. Only what was measured and lies within its limit passes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

from compactlm.errors import CompactLMError

PASSED, VIOLATED, NOT_JUDGED = "passed", "violated", "not judged"


@dataclasses.dataclass(frozen=True)
class Check:
    """One figure against its limit.

    Attributes:
        what: was measured, in words.
        value: None or nan where it could not be judged.
        limit: the greatest distance from parity that passes.
        distance: of the value from parity, 0 or more.
        why_not: why it was not judged, if that is known.
        least: the limit in the figure's own terms, where that is a least value (of disparate impact).
    """

    what: str
    value: float | None
    limit: float
    distance: float | None
    why_not: str | None = None
    least: float | None = None

    @property
    def status(self) -> str:
        """PASSED, VIOLATED or NOT_JUDGED."""
        if self.why_not or self.value is None or self.distance is None or not math.isfinite(self.distance):
            return NOT_JUDGED
        if self.distance > self.limit + 1e-12:
            return VIOLATED
        return PASSED if math.isfinite(self.value) else NOT_JUDGED

    def sentence(self) -> str:
        """Say what was found."""
        if self.status == NOT_JUDGED:
            return f"{self.what}: not judged, which is no pass ({self.why_not or 'no finite number'})"
        limit = f"{self.least:g} to {1 / self.least:.3g}" if self.least else f"at most {self.limit:g} either way"
        return f"{self.what}: {self.value:.3f}, {'within' if self.status == PASSED else 'outside'} the limit ({limit})"


def check_ratio(what: str, value: float | None, least: float, why_not: str | None = None) -> Check:
    """Check a disparate impact: it or its inverse must be at least `least`."""
    return Check(what, value, 1 - least, ratio_distance(value), why_not, least)


def check_difference(what: str, value: float | None, greatest: float, why_not: str | None = None, parity: float = 0.0) -> Check:
    """Check a figure that is `parity` where there is no bias: it must be no further from that than `greatest`."""
    return Check(what, value, greatest, None if value is None else abs(value - parity), why_not)


def ratio_distance(value: float | None) -> float | None:
    """Return how far a ratio is from parity, 0 to 1: one minus it or its inverse, whichever is less than 1."""
    if value is None or not value >= 0:
        return None
    return 1 - min(value, 1 / value) if value else 1.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the gate says of all checks."""

    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether there was something to check, and all of it passed."""
        return bool(self.checks) and all(check.status == PASSED for check in self.checks)

    def having(self, status: str) -> list[Check]:
        """Return the checks of a status."""
        return [check for check in self.checks if check.status == status]

    def metrics(self) -> dict[str, int]:
        """Return `passed` (0 or 1) and how many checks, violations and checks not judged there are."""
        return {
            "passed": int(self.passed),
            "checks": len(self.checks),
            "violations": len(self.having(VIOLATED)),
            "not_judged": len(self.having(NOT_JUDGED)),
        }

    def headline(self) -> str:
        """Say the whole in one line."""
        if not self.checks:
            return "Fairness gate: not judged, for no task has a protected attribute."
        counts = f"{len(self.having(VIOLATED))} violated, {len(self.having(NOT_JUDGED))} not judged, of {len(self.checks)} checks"
        return f"Fairness gate: {'passed' if self.passed else 'not passed'} ({counts})."

    def lines(self) -> list[str]:
        """Return the headline, and a sentence for each check that did not pass."""
        return [self.headline(), *(check.sentence() for status in (VIOLATED, NOT_JUDGED) for check in self.having(status))]

    def markdown(self) -> list[str]:
        """Return the same as lines of Markdown."""
        headline, *sentences = self.lines()
        return [headline, *(["", *(f"- {sentence}" for sentence in sentences)] if sentences else [])]


def enforce(verdict: Verdict, on_violation: Literal["warn", "fail"], report: str) -> None:
    """End the stage where the gate did not pass and `on_violation` is fail.

    Args:
        verdict: of the gate; without any check there is nothing that could fail.
        on_violation: from params.yaml.
        report: where the reader finds the whole.

    Raises:
        CompactLMError: something was violated or could not be judged.
    """
    if on_violation == "fail" and verdict.checks and not verdict.passed:
        first = [*verdict.having(VIOLATED), *verdict.having(NOT_JUDGED)][0]
        raise CompactLMError(
            f"{verdict.headline().rstrip('.')}, first {first.sentence()}; see {report}, mend the data or the mitigation, or set "
            "bias_audit.gate.on_violation to warn"
        )


def join(verdicts: Sequence[Verdict]) -> Verdict:
    """Return all checks as one verdict."""
    return Verdict([check for verdict in verdicts for check in verdict.checks])

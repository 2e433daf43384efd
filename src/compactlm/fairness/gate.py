"""The gates, of the data and of the models: bias held against thresholds. Only what was measured and lies within its limit passes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal

from compactlm.errors import CompactLMError
from compactlm.figures.bootstrap import Estimate

DATA, MODEL = "data gate", "model gate"
NAMED = 5  # checks in the sentence that ends a stage
SLACK = 1e-12  # of a distance beyond its limit, for rounding
PASSED, VIOLATED, NOT_JUDGED = "passed", "violated", "not judged"


@dataclasses.dataclass(frozen=True)
class Check:
    """One figure against its limit.

    Attributes:
        what: was measured, in words.
        key: where the figure stands among the metrics.
        found: the figure; None, or nan, where it could not be judged.
        limit: the greatest distance from parity that passes.
        distance: of the value from parity, 0 or more.
        why_not: why it was not judged, if that is known.
        least: the limit in the figure's own terms, where that is a least value (of disparate impact).
    """

    what: str
    key: tuple[str, ...]
    found: Estimate | None
    limit: float
    distance: float | None
    why_not: str | None = None
    least: float | None = None

    @property
    def status(self) -> str:
        """PASSED, VIOLATED or NOT_JUDGED."""
        if self.why_not or self.found is None or self.distance is None or not math.isfinite(self.distance):
            return NOT_JUDGED
        if self.distance > self.limit + SLACK:
            return VIOLATED
        return PASSED if math.isfinite(self.found.value) else NOT_JUDGED

    def metrics(self) -> dict[str, int]:
        """Return `judged` (0 or 1) and, where it was, `violated` (0 or 1)."""
        return {"judged": 0} if self.status == NOT_JUDGED else {"judged": 1, "violated": int(self.status == VIOLATED)}

    def sentence(self) -> str:
        """Say what was found."""
        if self.status == NOT_JUDGED or self.found is None:
            return f"{self.what}: not judged, which is no pass ({self.why_not or 'no finite number'})"
        limit = f"{self.least:g} to {1 / self.least:.3g}" if self.least else f"at most {self.limit:g} either way"
        one = self.found
        interval = "" if one.low is None or one.high is None else f" ({one.low:.3f} to {one.high:.3f})"
        return f"{self.what}: {one.value:.3f}{interval}, {'within' if self.status == PASSED else 'outside'} the limit ({limit})"


def check_ratio(what: str, key: tuple[str, ...], found: Estimate | None, least: float, why_not: str | None = None) -> Check:
    """Check a disparate impact: it or its inverse must be at least `least`."""
    return Check(what, key, found, 1 - least, ratio_distance(found.value if found else None), why_not, least)


def check_difference(what: str, key: tuple[str, ...], found: Estimate | None, greatest: float, why_not: str | None = None) -> Check:
    """Check a figure that is 0 where there is no bias: it must be no further from that than `greatest`."""
    return Check(what, key, found, greatest, None if found is None else abs(found.value), why_not)


def ratio_distance(value: float | None) -> float | None:
    """Return how far a ratio is from parity, 0 to 1: one minus it or its inverse, whichever is less than 1."""
    if value is None or not value >= 0:
        return None
    return 1 - min(value, 1 / value) if value else 1.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a gate, DATA or MODEL, says of all its checks."""

    gate: str
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether there was something to check, and all of it passed."""
        return bool(self.checks) and all(check.status == PASSED for check in self.checks)

    def having(self, status: str) -> list[Check]:
        """Return the checks of a status."""
        return [check for check in self.checks if check.status == status]

    def metrics(self) -> dict[str, object]:
        """Return `passed` (0 or 1), how many checks, violations and checks not judged there are, and under `figures` which they are."""
        figures: dict[str, Any] = {}
        for check in self.checks:
            inner = figures
            for part in check.key:
                inner = inner.setdefault(part, {})
            inner.update(check.metrics())
        return {
            "passed": int(self.passed),
            "checks": len(self.checks),
            "violations": len(self.having(VIOLATED)),
            "not_judged": len(self.having(NOT_JUDGED)),
            "figures": figures,
        }

    def headline(self) -> str:
        """Say the whole in one line."""
        if not self.checks:
            return f"{self.gate.capitalize()}: not judged, for no task has a protected attribute."
        counts = f"{len(self.having(VIOLATED))} violated, {len(self.having(NOT_JUDGED))} not judged, of {len(self.checks)} checks"
        return f"{self.gate.capitalize()}: {'passed' if self.passed else 'not passed'} ({counts})."

    def lines(self) -> list[str]:
        """Return the headline, and a sentence for each check that did not pass."""
        return [self.headline(), *(check.sentence() for status in (VIOLATED, NOT_JUDGED) for check in self.having(status))]

    def markdown(self) -> list[str]:
        """Return the same as lines of Markdown."""
        headline, *sentences = self.lines()
        return [headline, *(["", *(f"- {sentence}" for sentence in sentences)] if sentences else [])]


def enforce_data_gate(verdict: Verdict, on_violation: Literal["warn", "fail"], report: str) -> None:
    """End the stage where the data gate did not pass and `on_violation` is fail; what was measured must be written by then.

    Args:
        verdict: of the data gate; without any check there is nothing that could fail.
        on_violation: from params.yaml.
        report: where the reader finds the whole.

    Raises:
        CompactLMError: something was violated or could not be judged.
    """
    if on_violation == "fail" and verdict.checks and not verdict.passed:
        bad = [*verdict.having(VIOLATED), *verdict.having(NOT_JUDGED)]
        named = "; ".join(check.sentence() for check in bad[:NAMED])
        more = f"; and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        raise CompactLMError(
            f"{verdict.headline().rstrip('.')}: {named}{more}; see {report}, mend the data or choose another mitigation, "
            "loosen bias_audit.gate.data, or set bias_audit.gate.on_violation to warn"
        )


def join(gate: str, verdicts: Sequence[Verdict]) -> Verdict:
    """Return all checks as one verdict."""
    return Verdict(gate, [check for verdict in verdicts for check in verdict.checks])

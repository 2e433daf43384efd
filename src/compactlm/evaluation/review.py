"""A change under review: figure by figure better, worse or within the interval, and one verdict.

What goes in is what `dvc metrics diff --all --json` prints. A figure with an interval (`value`, `low`, `high`) has changed where
the difference of the two values is greater than the interval of a difference of two independent estimates, the root of the
sum of their squared half widths. A figure without one is told, and decides only where it has no chance in it: sizes, and counts
of violations.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

BETTER, WORSE, WITHIN, LOST, NEW, TOLD, UNJUDGED = "better", "worse", "within the interval", "lost", "new", "told", "not judged"
EXACT_TOLERANCE = 0.01  # of a size; a tokenizer's file may change by some bytes

Direction = Literal["higher", "lower", "zero", "one"]

# What is better, by the parts of a figure's key, the last first.
DIRECTIONS: tuple[tuple[str, Direction], ...] = (
    (r"violations|violated", "lower"),
    (r"disparate_impact", "one"),
    (r"(parity|opportunity|odds)_difference|amplification|preference_gap", "zero"),
    (r"flips?(_rate)?|probability_change", "lower"),
    (r"log_loss|calibration_error|pseudo_perplexity|surprise|unknown_rate|pieces_a_word", "lower"),
    (r"(student_)?(parameters|bytes|multiply_adds_a_token)|ratio", "lower"),
    (r"accuracy|macro_f1|matthews|auroc|top1|top5|kept|retention(_above_chance)?|agreement|student_top1|validation_\w+", "higher"),
)
ACCURACIES = re.compile(r"(^|\.)(tasks\.\w+|worst_slice)\.(student|teacher)$")
EXACT = re.compile(r"(^|\.)(student_parameters|student_bytes|student_multiply_adds_a_token|ratio|violations|violated)$")
# The teacher's own figures, figures about the comparison itself, and detail whose summary decides, are told and do not decide.
NOT_DECIDING = re.compile(r"(^|[._])teacher([._]|$)|(^|\.)(difference|mcnemar|slices|sources|perturbations|forgetting|groups|samples)\.")


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A figure in both revisions; `margin` is what a difference must exceed to count, None where it has no interval."""

    file: str
    key: str
    old: float | None
    new: float | None
    margin: float | None
    verdict: str
    decides: bool


@dataclasses.dataclass(frozen=True)
class Review:
    """All figures, and what the test rows were (their number by key, where it differs)."""

    changes: list[Change]
    rows_differ: dict[str, tuple[float, float]]

    def count(self, verdict: str) -> int:
        """Return how many deciding figures have a verdict."""
        return Counter(change.verdict for change in self.changes if change.decides)[verdict]

    @property
    def comparable(self) -> bool:
        """Return whether there is any deciding figure that both revisions have."""
        return any(self.count(verdict) for verdict in (BETTER, WORSE, WITHIN))

    @property
    def worse(self) -> bool:
        """Return whether a deciding figure is worse, or has been lost."""
        return self.count(WORSE) + self.count(LOST) > 0


def direction(key: str) -> Direction | None:
    """Return what is better for a figure, None where more is neither better nor worse."""
    for name in reversed(key.split(".")):
        for pattern, found in DIRECTIONS:
            if re.fullmatch(pattern, name):
                return found
    return "higher" if ACCURACIES.search(key) else None


def review(diff: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Review:
    """Judge every figure of a diff.

    Args:
        diff: by file and key, `old` and `new`.
    """
    changes, rows_differ = [], {}
    for file, figures in sorted(diff.items()):
        old = {key: side["old"] for key, side in figures.items() if _is_number(side["old"])}
        new = {key: side["new"] for key, side in figures.items() if _is_number(side["new"])}
        for key in sorted({*old, *new}):
            parent, _, last = key.rpartition(".")
            if last == "rows" and key in old and key in new and old[key] != new[key]:
                rows_differ[f"{file}:{key}"] = (old[key], new[key])
            if last == "value":
                changes.append(_with_interval(file, parent, old, new))
            elif not (last in ("low", "high", "judged") and (f"{parent}.value" in figures or last == "judged")):
                changes.append(_without_interval(file, key, old, new))
    return Review(changes, rows_differ)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _unjudged(key: str, figures: Mapping[str, float]) -> bool:
    """Return whether the figure, or the nearest group around it that says so, is marked as not to be judged."""
    parts = key.split(".")
    for length in range(len(parts), -1, -1):
        mark = ".".join([*parts[:length], "judged"])
        if mark in figures:
            return figures[mark] == 0
    return False


def _with_interval(file: str, key: str, old: Mapping[str, float], new: Mapping[str, float]) -> Change:
    towards = direction(key)
    decides = towards is not None and not NOT_DECIDING.search(key)
    before, after = old.get(f"{key}.value"), new.get(f"{key}.value")
    if before is None or after is None:
        return Change(file, key, before, after, None, LOST if after is None else NEW, decides)
    halves = [_half(key, side) for side in (old, new)]
    margin = math.hypot(*(half for half in halves if half is not None)) if None not in halves else None
    if _unjudged(key, old) or _unjudged(key, new) or margin is None:
        return Change(file, key, before, after, margin, UNJUDGED, decides)
    if towards is None:
        return Change(file, key, before, after, margin, TOLD, False)
    gain = _goodness(after, towards) - _goodness(before, towards)
    verdict = WITHIN if abs(gain) <= margin else BETTER if gain > 0 else WORSE
    return Change(file, key, before, after, margin, verdict, decides)


def _half(key: str, figures: Mapping[str, float]) -> float | None:
    low, high = figures.get(f"{key}.low"), figures.get(f"{key}.high")
    return None if low is None or high is None else (high - low) / 2


def _without_interval(file: str, key: str, old: Mapping[str, float], new: Mapping[str, float]) -> Change:
    towards, before, after = direction(key), old.get(key), new.get(key)
    decides = bool(EXACT.search(key)) and not NOT_DECIDING.search(key)
    if before is None or after is None:
        return Change(file, key, before, after, None, LOST if after is None else NEW, decides)
    if not decides or towards is None:
        return Change(file, key, before, after, None, TOLD, False)
    gain = _goodness(after, towards) - _goodness(before, towards)
    verdict = WITHIN if abs(gain) <= EXACT_TOLERANCE * abs(before) else BETTER if gain > 0 else WORSE
    return Change(file, key, before, after, None, verdict, True)


def _goodness(value: float, towards: Direction) -> float:
    return {"higher": value, "lower": -value, "zero": -abs(value), "one": -abs(value - 1)}[towards]

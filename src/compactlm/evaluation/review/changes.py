"""A change under review: figure by figure better, worse or within the interval, and one verdict.

What goes in is what `dvc metrics diff --all --json` prints. A figure with an interval (`value`, `low`, `high`) has changed where
the difference of the two values is greater than the interval of a difference of two independent estimates, the root of the
sum of their squared half widths. A figure without one is told, and decides only where it has no chance in it: sizes, and what
the gates say. What was judged and is not any more counts as worse, for otherwise fewer rows would be the way past a review: a figure
that is marked as not to be judged, one that has lost its interval or is gone, a gate that no longer passes, half of the rows that a
deciding figure is measured on.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

BETTER, WORSE, WITHIN, LOST, NEW, TOLD, UNJUDGED = "better", "worse", "within the interval", "lost", "new", "told", "not judged"
NO_LONGER = "no longer judged"
EXACT_TOLERANCE = 0.01  # of a size; a tokenizer's file may change by some bytes
FEWER = 0.5  # of the test rows, or words, that there were; with less, intervals are so wide that nearly everything is within them
LOWEST = 1e9  # what stands for the logarithm of 0, so that a difference of two of them is a number

Direction = Literal["higher", "lower", "zero", "half", "parity"]  # the last three: the nearer the better; parity is a ratio of 1

# What is better, by the parts of a figure's key, the last first.
DIRECTIONS: tuple[tuple[str, Direction], ...] = (
    (r"violations|violated|not_judged", "lower"),
    (r"passed", "higher"),
    (r"disparate_impact", "parity"),
    (r"\w*(parity|opportunity|odds)_difference|log_odds_gap", "zero"),
    (r"preference", "half"),
    (r"flips?(_rate)?|probability_change", "lower"),
    (r"log_loss|calibration_error|pseudo_perplexity|surprise|unknown_rate|tokens_a_word", "lower"),
    (r"(student_)?(parameters|bytes|multiply_adds_a_token)|ratio", "lower"),
    (r"accuracy|macro_f1|matthews|auroc|top1|top5|kept|retention(_above_chance)?|agreement|student_top1|validation_\w+", "higher"),
)
ACCURACIES = re.compile(r"(^|\.)(tasks\.\w+|worst_slice)\.(student|teacher)$")
EXACT = re.compile(r"(^|\.)(student_parameters|student_bytes|student_multiply_adds_a_token|ratio|violations|violated|not_judged|passed)$")
ROWS = re.compile(r"(^|\.)((tasks\.\w+|mlm|robustness|counterfactual)\.rows|mlm\.quality\.words|stereotypes\.\w+\.pairs)$")
# Student minus teacher: a student that is fairer than its teacher has much of it too. The student's own figure is judged, and the gate
# says where it is further from parity.
AMPLIFICATION = re.compile(r"(^|\.)amplification$")
# The teacher's own figures, figures about the comparison itself, and detail whose summary decides, are told and do not decide.
NOT_DECIDING = re.compile(r"(^|[._])teacher([._]|$)|(^|\.)(difference|mcnemar|slices|sources|perturbations)\.")


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A figure in both revisions.

    `margin` is what a difference (for a ratio, that of the logarithms) must exceed to count, None where there is no interval.
    """

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
        """Return whether a deciding figure is worse, is no longer judged, or has been lost."""
        return any(self.count(verdict) for verdict in (WORSE, NO_LONGER, LOST))


def direction(key: str) -> Direction | None:
    """Return what is better for a figure, None where more is neither better nor worse."""
    if AMPLIFICATION.search(key):
        return None
    for name in reversed(key.split(".")):
        for pattern, found in DIRECTIONS:
            if re.fullmatch(pattern, name):
                return found
    return "higher" if ACCURACIES.search(key) else None


def review(diff: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Review:
    """Judge every figure of a diff.

    Args:
        diff: by file and key, `old` and `new`. An interval stands beside a figure, as X.value, X.low and X.high or as X, X_low and X_high.
    """
    changes, rows_differ = [], {}
    for file, figures in sorted(diff.items()):
        old = {key: side["old"] for key, side in figures.items() if _is_number(side["old"])}
        new = {key: side["new"] for key, side in figures.items() if _is_number(side["new"])}
        for key in sorted({*old, *new}):
            counts = key.rpartition(".")[2] == "rows" or ROWS.search(key)
            if counts and key in old and key in new and old[key] != new[key]:
                rows_differ[f"{file}:{key}"] = (old[key], new[key])
            name, low, high = _bounds(key)
            if low in figures and high in figures:
                changes.append(_with_interval(file, name, *(_side(side, key, low, high) for side in (old, new))))
            elif not _belongs_to_another(key, figures):
                changes.append(_without_interval(file, name, *(_side(side, key) for side in (old, new))))
    return Review(changes, rows_differ)


def _bounds(key: str) -> tuple[str, str, str]:
    """Return a figure's name, and the keys of the bounds that it would have."""
    name = key.removesuffix(".value")
    separator = "_" if name == key else "."
    return name, f"{name}{separator}low", f"{name}{separator}high"


def _belongs_to_another(key: str, figures: Mapping[str, Any]) -> bool:
    """Return whether a key is a bound of a figure, or the mark of what is judged."""
    owner = re.sub(r"[._](low|high|judged)$", "", key)
    return key.rpartition(".")[2] == "judged" or (owner != key and (owner in figures or f"{owner}.value" in figures))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _unjudged(key: str, figures: Mapping[str, float]) -> bool:
    """Return whether the figure, or the nearest group around it that says so, is marked as not to be judged."""
    if f"{key}_judged" in figures:
        return figures[f"{key}_judged"] == 0
    parts = key.split(".")
    for length in range(len(parts), -1, -1):
        mark = ".".join([*parts[:length], "judged"])
        if mark in figures:
            return figures[mark] == 0
    return False


@dataclasses.dataclass(frozen=True, slots=True)
class _Side:
    """A figure in one revision, and whether it is marked as not to be judged."""

    value: float | None
    half: float | None
    unjudged: bool


def _side(figures: Mapping[str, float], key: str, low: str = "", high: str = "") -> _Side:
    half = None
    if low in figures and high in figures:
        scaled = _log if direction(key) == "parity" else float
        half = (scaled(figures[high]) - scaled(figures[low])) / 2
    return _Side(figures.get(key), half, _unjudged(key.removesuffix(".value"), figures))


def _with_interval(file: str, key: str, old: _Side, new: _Side) -> Change:
    towards = direction(key)
    decides = towards is not None and not NOT_DECIDING.search(key)
    margin = None if old.half is None or new.half is None else math.hypot(old.half, new.half)
    was, remains = (side.value is not None and side.half is not None and not side.unjudged for side in (old, new))
    verdict = _without_comparison(old, new, was, remains) or _compared(old.value, new.value, towards, margin or 0.0)
    return Change(file, key, old.value, new.value, margin, verdict, decides and verdict != TOLD)


def _without_interval(file: str, key: str, old: _Side, new: _Side) -> Change:
    towards = direction(key)
    decides = bool(EXACT.search(key)) and not NOT_DECIDING.search(key)
    was, remains = (side.value is not None and not side.unjudged for side in (old, new))
    verdict = _without_comparison(old, new, was, remains)
    if verdict is None and ROWS.search(key) and old.value is not None and new.value is not None:
        decides = new.value < FEWER * old.value
        verdict = WORSE if decides else TOLD
    if verdict is None:
        verdict = _compared(old.value, new.value, towards if decides else None, EXACT_TOLERANCE * abs(old.value or 0.0))
    return Change(file, key, old.value, new.value, None, verdict, decides and verdict != TOLD)


def _without_comparison(old: _Side, new: _Side, was: bool, remains: bool) -> str | None:
    """Return the verdict where a figure was not judged, or is not now; None where it was and is."""
    if was and not remains:
        return LOST if new.value is None and not new.unjudged else NO_LONGER
    if old.value is None and not old.unjudged:
        return NEW
    return None if was and remains else UNJUDGED


def _compared(before: float | None, after: float | None, towards: Direction | None, margin: float) -> str:
    if towards is None or before is None or after is None:
        return TOLD
    gain = _goodness(after, towards) - _goodness(before, towards)
    return WITHIN if abs(gain) <= margin else BETTER if gain > 0 else WORSE


def _goodness(value: float, towards: Direction) -> float:
    if towards == "parity":
        return -abs(_log(value))
    return {"higher": value, "lower": -value, "zero": -abs(value), "half": -abs(value - 0.5)}[towards]


def _log(ratio: float) -> float:
    """Return the logarithm, by which half as often is as far from parity as twice as often; for 0 a number below all others."""
    return math.log(ratio) if ratio > 0 else -LOWEST

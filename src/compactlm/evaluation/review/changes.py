"""The review of a change: whether each figure is better, worse or within the interval, and the verdict.

The input is the output of `dvc metrics diff --all --json`. A figure with an interval has changed if its two values differ by more than the
interval of the difference of two independent estimates: the square root of the sum of the squared half widths. Figures without an interval
decide only if they are not random: sizes, and the counts of the gates. A figure of a gate that becomes violated is worse.

A figure that was judged and no longer is counts as worse, because otherwise a change could pass the review by measuring fewer rows. This
includes a figure that is not judged any more, has lost its interval or is missing, and a deciding figure with less than half of its rows.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from compactlm.evaluation.review.directions import Direction, direction
from compactlm.evaluation.review.old_form import read_old_form
from compactlm.figures.figure import Figure, Status, is_figure

BETTER, WORSE, WITHIN, INFORMATION = "better", "worse", "within the interval", "for information"
LOST, NEW, UNJUDGED, NO_LONGER = "lost", "new", "not judged", "no longer judged"
EXACT_TOLERANCE = 0.01  # of a size; a tokenizer's file may change by some bytes
FEWER = 0.5  # of the test rows or words; with fewer, intervals are so wide that nearly everything is within them
LOWEST = 1e9  # replaces the logarithm of 0, so that the difference of two of them is a number

EXACT = re.compile(r"(^|\.)(student_parameters|student_bytes|student_multiply_adds_a_token|ratio|violated|not_judged)$")
ROWS = re.compile(r"(^|\.)((tasks\.\w+|mlm|robustness|counterfactual)\.rows|mlm\.quality\.words|stereotypes\.\w+\.pairs)$")
# The teacher's own figures, figures about the comparison itself, and details whose summary decides, do not decide.
NOT_DECIDING = re.compile(r"(^|[._])teacher([._]|$)|(^|\.)(difference|mcnemar|baselines|slices|sources|perturbations)\.")
AUDIT = "bias-audit.json"  # the gate of the data; the gate of the models is `fairness` of evaluate.json


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A figure in both revisions.

    A difference (for a ratio, the difference of the logarithms) counts if it exceeds `margin`. It is None without an interval.
    """

    file: str
    key: str
    old: Figure | None
    new: Figure | None
    margin: float | None
    verdict: str
    decides: bool

    @property
    def difference(self) -> float | None:
        """The new value minus the old one."""
        values = [side.value for side in (self.old, self.new) if side is not None and side.value is not None]
        return values[1] - values[0] if len(values) == 2 else None


@dataclasses.dataclass(frozen=True)
class Review:
    """All figures, and the differing numbers of test rows, by key."""

    changes: list[Change]
    rows_differ: dict[str, tuple[float, float]]

    def count(self, verdict: str) -> int:
        """Return how many deciding figures have a verdict."""
        return Counter(change.verdict for change in self.changes if change.decides)[verdict]

    @property
    def comparable(self) -> bool:
        """Return whether both revisions have a common deciding figure."""
        return any(self.count(verdict) for verdict in (BETTER, WORSE, WITHIN))

    @property
    def worse(self) -> bool:
        """Return whether a deciding figure is worse, is no longer judged, or has been lost."""
        return any(self.count(verdict) for verdict in (WORSE, NO_LONGER, LOST))


def review(diff: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Review:
    """Judge every figure of a diff. The diff has `old` and `new` by file and key."""
    changes, rows_differ = [], {}
    for file, sides in sorted(diff.items()):
        old, new = (_read({key: side[name] for key, side in sides.items() if _is_number(side[name])}) for name in ("old", "new"))
        for key in sorted({*old, *new}):
            change = _judge(file, key, old.get(key), new.get(key))
            changes.append(change)
            if change.difference and (key.rpartition(".")[2] == "rows" or ROWS.search(key)):
                rows_differ[f"{file}:{key}"] = (old[key].value or 0.0, new[key].value or 0.0)
    return Review(changes, rows_differ)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _read(metrics: Mapping[str, float]) -> dict[str, Figure]:
    """Return the figures of one revision by their keys. A plain number is a figure without an interval."""
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for key, value in metrics.items():
        group, _, name = key.rpartition(".")
        groups[group][name] = value
    figures = {group: Figure.from_json(found) for group, found in groups.items() if is_figure(found)}
    if not figures:
        return read_old_form(metrics)
    return figures | {key: Figure(value) for key, value in metrics.items() if key.rpartition(".")[0] not in figures}


def _judge(file: str, key: str, old: Figure | None, new: Figure | None) -> Change:
    towards = direction(key)
    halves = [_half_width(side, towards) for side in (old, new)]
    margin = math.hypot(*halves) if None not in halves else None  # type: ignore[arg-type]
    with_interval = any(half is not None for half in halves)
    decides = not NOT_DECIDING.search(key) and (towards is not None if with_interval else bool(EXACT.search(key)))
    gated = file.endswith(AUDIT) or key.startswith("fairness.")
    was, remains = (
        side is not None and side.value is not None and side.judged and (half is not None or not with_interval)
        for side, half in zip((old, new), halves, strict=True)
    )
    if old is None or new is None or not (was and remains):
        verdict = (LOST if new is None else NO_LONGER) if was else NEW if old is None and remains else UNJUDGED
    elif gated and old.status is not new.status is Status.VIOLATED:
        verdict, decides = WORSE, True
    elif gated and (old.status, new.status) == (Status.VIOLATED, Status.OK):
        verdict, decides = BETTER, True
    elif ROWS.search(key):
        decides = (new.value or 0.0) < FEWER * (old.value or 0.0)
        verdict = WORSE if decides else INFORMATION
    else:
        allowed = EXACT_TOLERANCE * abs(old.value or 0.0) if margin is None else margin
        verdict = _compared(old.value, new.value, towards if decides or with_interval else None, allowed)
        if gated and verdict == WITHIN and old.status is not new.status:
            verdict = INFORMATION  # such as from ok to undecided
    return Change(file, key, old, new, margin, verdict, decides and verdict != INFORMATION)


def _half_width(figure: Figure | None, towards: Direction | None) -> float | None:
    if figure is None or figure.low is None or figure.high is None:
        return None
    scaled = _log if towards == "parity" else float
    return (scaled(figure.high) - scaled(figure.low)) / 2


def _compared(before: float | None, after: float | None, towards: Direction | None, margin: float) -> str:
    if towards is None or before is None or after is None:
        return INFORMATION
    gain = _goodness(after, towards) - _goodness(before, towards)
    return WITHIN if abs(gain) <= margin else BETTER if gain > 0 else WORSE


def _goodness(value: float, towards: Direction) -> float:
    if towards == "parity":
        return -abs(_log(value))
    return {"higher": value, "lower": -value, "zero": -abs(value), "half": -abs(value - 0.5)}[towards]


def _log(ratio: float) -> float:
    """Return the logarithm, so that 1/2 is as far from parity as 2. For 0, return a number below all others."""
    return math.log(ratio) if ratio > 0 else -LOWEST

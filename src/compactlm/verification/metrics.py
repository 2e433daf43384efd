"""The comparison of two files of metrics: every figure by its interval, every count by its size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from compactlm.figures.figure import Status, is_figure
from compactlm.verification.bounds import number_bound

Difference = tuple[float, str]  # as a share of the bound, and where


def differences(old: Any, new: Any, where: str = "", width: float | None = None) -> Iterator[Difference]:
    """Yield the differences of two JSON values as shares of their bounds; infinite where keys or words differ.

    `width` is half the width of the interval of the figure that the values belong to.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        if is_figure(old) and is_figure(new):
            width = _half_width(old)
        for key in sorted({*old, *new}):
            inner = f"{where}.{key}" if where else str(key)
            if key not in old or key not in new:
                yield math.inf, f"{inner} is {'new' if key in new else 'missing'}"
            elif key == "status":
                yield _statuses(old[key], new[key]), f"{inner} is {new[key]} instead of {old[key]}"
            else:
                yield from differences(old[key], new[key], inner, width)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, f"{where}.{at}", width)
    elif _is_number(old) and _is_number(new):
        yield abs(old - new) / number_bound(old, new, width), f"{where} is {new:.6g} instead of {old:.6g}"
    elif old != new:
        yield math.inf, f"{where} is {new!r} instead of {old!r}"


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _half_width(figure: Mapping[str, Any]) -> float | None:
    low, high = figure.get("low"), figure.get("high")
    return (high - low) / 2 if _is_number(low) and _is_number(high) else None


def _statuses(old: Any, new: Any) -> float:
    """Return 0 for equal statuses, 1 for a change that rounding may cause, and infinity where one is violated."""
    if old == new:
        return 0.0
    return math.inf if Status.VIOLATED in (old, new) else 1.0

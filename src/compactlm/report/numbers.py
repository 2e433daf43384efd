"""How numbers are written, one way for the page and the card."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from compactlm.figures.judging import MINIMUM_ROWS

NOT_JUDGED = "not judged"
TOO_FEW = f"not judged: fewer than {MINIMUM_ROWS} rows"
PER_CENT = "\N{NO-BREAK SPACE}%"
MINUS = "\N{MINUS SIGN}"
UNITS = ("bytes", "kB", "MB", "GB", "TB")

Figure = Mapping[str, float]  # value, low and high; without bounds where there is no interval, without a value where it was not judged


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share, 0 to 1, in per cent."""
    return NOT_JUDGED if value is None else f"{100 * value:.{digits}f}{PER_CENT}"


def points(value: float | None) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return NOT_JUDGED if value is None else f"{100 * value:+.1f} points".replace("-", MINUS)


def plain(value: float | None, digits: int = 3) -> str:
    """Return a number."""
    return NOT_JUDGED if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def count(value: float | None) -> str:
    """Return a whole number."""
    return NOT_JUDGED if value is None else f"{value:,.0f}"


def size(value: float) -> str:
    """Return a number of bytes in the unit that leaves it under a thousand."""
    unit = 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def duration(seconds: float) -> str:
    """Return a time in seconds, or in minutes where there are two or more."""
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def significant(value: float) -> str:
    """Return a number by three significant digits, never in powers of ten."""
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}"


def shares(figure: Figure) -> str:
    """Return a share with its interval, in per cent."""
    if "value" not in figure:
        return NOT_JUDGED
    if "low" not in figure or "high" not in figure:
        return percent(figure["value"])
    return f"{percent(figure['value'])} ({100 * figure['low']:.1f} to {100 * figure['high']:.1f})"


def gaps(figure: Figure) -> str:
    """Return a difference of shares with its interval, in percentage points."""
    if "value" not in figure:
        return NOT_JUDGED
    if "low" not in figure or "high" not in figure:
        return points(figure["value"])
    low, high = (f"{100 * figure[bound]:+.1f}".replace("-", MINUS) for bound in ("low", "high"))
    return f"{points(figure['value'])} ({low} to {high})"


def figures(figure: Figure, digits: int = 3) -> str:
    """Return a number with its interval."""
    if "value" not in figure:
        return NOT_JUDGED
    if "low" not in figure or "high" not in figure:
        return plain(figure["value"], digits)
    return f"{plain(figure['value'], digits)} ({plain(figure['low'], digits)} to {plain(figure['high'], digits)})"


def perplexities(figure: Figure) -> str:
    """Return a perplexity with its interval; one digit says all that it can."""
    return figures(figure, 1)


def named(section: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return the figure that stands in metrics as `name`, `name_low` and `name_high`."""
    keys = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
    return {key: section[stored] for key, stored in keys.items() if stored in section}


def probability(p: float) -> str:
    """Return a test's probability."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def words(name: str) -> str:
    """Return a key of metrics as words."""
    return name.replace("_", " ")


def quoted(text: str) -> str:
    """Return a text in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"


def listed(parts: list[str]) -> str:
    """Join parts as a sentence does."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""

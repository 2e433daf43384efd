"""Format numbers for people."""

from __future__ import annotations

import math
from collections.abc import Callable

from compactlm.figures.figure import Figure, Status

NOT_JUDGED = Status.NOT_JUDGED.words
PER_CENT = "\N{NO-BREAK SPACE}%"
POINTS = " points"
MINUS = "\N{MINUS SIGN}"
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share, 0 to 1, in per cent."""
    return NOT_JUDGED if value is None else f"{100 * value:.{digits}f}{PER_CENT}"


def points(value: float | None) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return NOT_JUDGED if value is None else f"{100 * value:+.1f}{POINTS}".replace("-", MINUS)


def plain(value: float | None, digits: int = 3) -> str:
    """Return a number with a fixed number of digits."""
    return NOT_JUDGED if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def count(value: float | None) -> str:
    """Return a whole number."""
    return NOT_JUDGED if value is None else f"{value:,.0f}"


def size(value: float) -> str:
    """Return a number of bytes in the unit that keeps it below a thousand."""
    unit = 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def duration(seconds: float) -> str:
    """Return a time in seconds; from two minutes on, in minutes."""
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def significant(value: float) -> str:
    """Return a number with three significant digits and without an exponent."""
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}"


def compact(value: float) -> str:
    """Return a whole number as it is, and any other number with four significant digits."""
    return count(value) if isinstance(value, int) else f"{value:.4g}"


def interval(figure: Figure, show: Callable[[float], str] = plain) -> str:
    """Return the value of a figure with its confidence interval in brackets, as in `50.0 % (40.0 to 60.0)`."""
    if figure.value is None:
        return NOT_JUDGED
    if figure.low is None or figure.high is None:
        return show(figure.value)
    low, high = (show(bound).removesuffix(PER_CENT).removesuffix(POINTS) for bound in (figure.low, figure.high))
    return f"{show(figure.value)} ({low} to {high})"


def status(figure: Figure) -> str:
    """Return the status of a figure that has a limit, or the reason why it is not judged; "" for any other figure."""
    if not figure.judged:
        return f"{NOT_JUDGED}: {figure.reason}"
    return figure.status.words if figure.limit else ""


def limited(figure: Figure) -> str:
    """Return the status of a figure with its limit, and the number of rows that would decide an undecided one."""
    rows = figure.rows_to_decide
    if figure.beyond and figure.enough_rows and figure.status is Status.UNDECIDED:
        return f"{status(figure)} (limit: {figure.limit}; exceeded, but among so many checks this may be chance)"
    return f"{status(figure)} (limit: {figure.limit}{f'; about {rows:,} rows would decide' if rows else ''})"


def stated(figure: Figure, show: Callable[[float], str] = plain) -> str:
    """Return the value of a figure, its confidence interval, its status, and the number of rows that would decide an undecided one."""
    parts = [interval(figure, show)] if figure.value is not None else []
    needed = f": about {figure.rows_to_decide:,} rows needed" if figure.rows_to_decide else ""
    return ", ".join(filter(None, [*parts, f"{status(figure)}{needed}"]))


def perplexity(value: float) -> str:
    """Return a perplexity with one digit after the point."""
    return plain(value, 1)


def probability(p: float) -> str:
    """Return the probability of a statistical test."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def words(name: str) -> str:
    """Return a key of metrics as words."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def quoted(text: str) -> str:
    """Return a text in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"


def listed(parts: list[str]) -> str:
    """Join parts with commas and a final "and"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""

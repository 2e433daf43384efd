"""The common parts of all drawings: the frame with a description for screen readers, round ticks, and the marks of the series."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from compactlm.figures.numbers import MINUS, PER_CENT

WIDTH = 400.0  # about that of a phone, so that text stays readable there
CHARACTER = 6.4  # width of a letter at 12 pixels
MARKS = ("circle", "square", "triangle", "diamond")


@dataclasses.dataclass(frozen=True)
class Range:
    """The values of an axis, and their coordinates on the drawing."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the coordinate of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def number(value: float) -> str:
    """Return a coordinate with at most two digits after the point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return about `wanted` round values from `low` to `high`, which must be greater than `low`."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(position * step, 10) + 0.0 for position in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_texts(values: Sequence[float], percent: bool = False) -> list[str]:
    """Return ticks as text with the same number of digits. `percent` shows shares in per cent."""
    shown = [100 * value for value in values] if percent else values
    digits = max((len(f"{value:.6f}".rstrip("0").partition(".")[2]) for value in shown), default=0)
    return [f"{value:,.{digits}f}{PER_CENT if percent else ''}".replace("-", MINUS) for value in shown]


def widened(values: Sequence[float], share: float = 0.06) -> tuple[float, float]:
    """Return bounds with some room around the values."""
    low, high = min(values), max(values)
    room = (high - low) * share or abs(high) * share or 1.0
    return low - room, high + room


def mark(kind: str, series: int, x: float, y: float, size: float = 4.0) -> str:
    """Return the mark of a series at a point."""
    style = f'class="mark s{series}"'
    if kind == "square":
        return f'<rect {style} x="{number(x - size)}" y="{number(y - size)}" width="{number(2 * size)}" height="{number(2 * size)}"/>'
    if kind == "circle":
        return f'<circle {style} cx="{number(x)}" cy="{number(y)}" r="{number(size)}"/>'
    corners = {"triangle": [(0, -1.2), (1.1, 0.9), (-1.1, 0.9)], "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)]}[kind]
    drawn = " ".join(f"{number(x + size * right)},{number(y + size * down)}" for right, down in corners)
    return f'<polygon {style} points="{drawn}"/>'


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a straight line; `kind` is a class of the style sheet."""
    return f'<line class="{kind}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'


def label(text: str, x: float, y: float, kind: str = "", anchor: str = "start") -> str:
    """Return text; `anchor` is start, middle or end."""
    style = f' class="{kind}"' if kind else ""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{style} x="{number(x)}" y="{number(y)}"{where}>{escape(text)}</text>'


def legend(names: Sequence[str], y: float = 14.0) -> tuple[list[str], float]:
    """Return the marks and names of all series in lines that fit the width, and the y coordinate below them."""
    drawn, x = [], 4.0
    for series, name in enumerate(names):
        width = 26 + CHARACTER * len(name)
        if x > 4 and x + width > WIDTH:
            x, y = 4.0, y + 18
        drawn += [mark(MARKS[series % len(MARKS)], series, x + 6, y - 4), label(name, x + 16, y)]
        x += width
    return drawn, y + 12


def frame(title: str, description: str, height: float, drawn: Sequence[str]) -> Markup:
    """Return the SVG of a drawing.

    Screen readers read the title, which is unique on the page, and the description: a sentence or two with numbers.
    """
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    head = f'<svg class="chart" role="img" viewBox="0 0 {number(WIDTH)} {number(height)}" aria-labelledby="{name}-title {name}-text">'
    text = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(description)}</desc>'
    return Markup("\n".join([head + text, *drawn, "</svg>"]))  # noqa: S704 - all text in it was escaped above

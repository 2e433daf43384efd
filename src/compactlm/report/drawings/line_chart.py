"""Charts of lines and points over two axes: learning curves, reliability, quality against parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from compactlm.report.drawings.canvas import (
    CHARACTER,
    MARKS,
    WIDTH,
    Range,
    frame,
    label,
    legend,
    line,
    mark,
    number,
    tick_texts,
    ticks,
    widened,
)

HEIGHT = 260.0
LEFT, RIGHT, BOTTOM = 52.0, 10.0, 42.0
MARKED = 12  # marks on a line, about


@dataclasses.dataclass(frozen=True)
class Series:
    """A series of points. `names` are shown next to the points; `joined` draws a line through them."""

    name: str
    points: Sequence[tuple[float, float]]
    names: Sequence[str] = ()
    joined: bool = True


@dataclasses.dataclass(frozen=True)
class Axis:
    """An axis: its title, its bounds if they are fixed, and whether its ticks are in per cent."""

    title: str
    low: float | None = None
    high: float | None = None
    percent: bool = False

    def range(self, values: Sequence[float], start: float, end: float) -> Range:
        """Return the range of the axis for some values."""
        low, high = widened(values)
        return Range(low if self.low is None else self.low, high if self.high is None else self.high, start, end)


def draw_lines(title: str, description: str, x: Axis, y: Axis, series: Sequence[Series], diagonal: bool = False) -> Markup:
    """Draw at least one series, each with at least one point; `diagonal` draws the line on which both axes are equal."""
    drawn, top = legend([one.name for one in series])
    top += 8
    across = x.range([point[0] for one in series for point in one.points], LEFT, WIDTH - RIGHT)
    up = y.range([point[1] for one in series for point in one.points], HEIGHT - BOTTOM, top)
    drawn += _axes(x, y, across, up)
    if diagonal:
        low, high = max(across.low, up.low), min(across.high, up.high)
        drawn.append(line("reference", across.at(low), up.at(low), across.at(high), up.at(high)))
    for position, one in enumerate(series):
        drawn += _draw(one, position, across, up)
    return frame(title, description, HEIGHT, drawn)


def _axes(x: Axis, y: Axis, across: Range, up: Range) -> list[str]:
    drawn = []
    values = ticks(up.low, up.high)
    for value, text in zip(values, tick_texts(values, y.percent), strict=True):
        drawn += [line("grid", LEFT, up.at(value), WIDTH - RIGHT, up.at(value)), label(text, LEFT - 6, up.at(value) + 4, "tick", "end")]
    values = ticks(across.low, across.high, 4)
    for value, text in zip(values, tick_texts(values, x.percent), strict=True):
        drawn += [
            line("grid", across.at(value), up.end, across.at(value), up.start),
            label(text, min(across.at(value), WIDTH - 4 - CHARACTER * len(text) / 2), HEIGHT - BOTTOM + 16, "tick", "middle"),
        ]
    drawn += [label(x.title, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "axis", "middle")]
    middle = (up.start + up.end) / 2
    turned = label(y.title, 0, 0, "axis", "middle")
    return [*drawn, f'<g transform="translate(11 {number(middle)}) rotate(-90)">{turned}</g>']


def _draw(series: Series, position: int, across: Range, up: Range) -> list[str]:
    places = [(across.at(x), up.at(y)) for x, y in series.points]
    drawn = []
    if series.joined and len(places) > 1:
        path = " ".join(f"{number(x)},{number(y)}" for x, y in places)
        drawn.append(f'<polyline class="line s{position}" points="{path}"/>')
    every = max(1, len(places) // MARKED)
    drawn += [mark(MARKS[position % len(MARKS)], position, x, y, 3.2) for x, y in places[::every]]
    for (x, y), name in zip(places, series.names, strict=False):
        end = x > WIDTH * 0.75
        drawn.append(label(name, x - 8 if end else x + 8, y + (16 if end else 14), "tick", "end" if end else "start"))
    return drawn

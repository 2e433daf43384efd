"""Charts of figures with their confidence intervals, one below the other: fairness, slices, robustness."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from compactlm.figures.figure import Figure, Limit
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

NAME, EACH, GAP, FOOT = 17.0, 13.0, 8.0, 40.0
SIDE = 14.0


@dataclasses.dataclass(frozen=True)
class Line:
    """A name, and a figure for each series. A series without a figure is left out."""

    name: str
    figures: Mapping[str, Figure]

    @property
    def limit(self) -> Limit | None:
        """The limit of the first figure that has one; it is drawn as a band."""
        return next((figure.limit for figure in self.figures.values() if figure.limit), None)


@dataclasses.dataclass(frozen=True)
class Scale:
    """The common axis."""

    title: str
    reference: float | None = None  # the value of a dashed line, such as parity
    percent: bool = False  # of the ticks


def draw_intervals(title: str, description: str, scale: Scale, series: Sequence[str], lines: Sequence[Line]) -> Markup:
    """Draw a mark for each line and series, with the confidence interval as a bar; at least one figure must have a value."""
    drawn, top = legend(series)
    across = _range(scale, lines)
    height = top + sum(NAME + EACH * len(series) + GAP for _ in lines) + FOOT
    values = ticks(across.low, across.high, 4)
    for value, text in zip(values, tick_texts(values, scale.percent), strict=True):
        room = CHARACTER * len(text) / 2
        drawn.append(label(text, min(max(across.at(value), room), WIDTH - room), height - FOOT + 15, "tick", "middle"))
    drawn.append(label(scale.title, WIDTH / 2, height - 8, "axis", "middle"))
    y = top
    for one in lines:
        drawn += [label(one.name, 4, y + 13, "name"), *_ground(scale, one.limit, across, values, y + NAME, y + NAME + EACH * len(series))]
        for position, name in enumerate(series):
            drawn += _figure(one.figures.get(name), position, across, y + NAME + EACH * (position + 0.5))
        y += NAME + EACH * len(series) + GAP
    return frame(title, description, height, drawn)


def _ground(scale: Scale, limit: Limit | None, across: Range, values: Sequence[float], top: float, bottom: float) -> list[str]:
    """Return the background of a line: the band of acceptable values, the grid and the reference."""
    drawn = []
    if limit:
        ends = (across.low if limit.low is None else limit.low, across.high if limit.high is None else limit.high)
        low, high = (across.at(min(max(end, across.low), across.high)) for end in ends)
        drawn.append(
            f'<rect class="band" x="{number(low)}" y="{number(top)}" width="{number(high - low)}" height="{number(bottom - top)}"/>'
        )
    drawn += [line("grid", across.at(value), top, across.at(value), bottom) for value in values]
    if scale.reference is not None:
        drawn.append(line("reference", across.at(scale.reference), top, across.at(scale.reference), bottom))
    return drawn


def _range(scale: Scale, lines: Sequence[Line]) -> Range:
    found = [
        value for one in lines for figure in one.figures.values() for value in (figure.value, figure.low, figure.high) if value is not None
    ]
    low, high = widened([*found, *([] if scale.reference is None else [scale.reference])])
    return Range(low, high, SIDE, WIDTH - SIDE)


def _figure(figure: Figure | None, position: int, across: Range, y: float) -> list[str]:
    if figure is None or figure.value is None:
        return []
    drawn = []
    if figure.low is not None and figure.high is not None:
        drawn.append(line(f"whisker s{position}", across.at(figure.low), y, across.at(figure.high), y))
    return [*drawn, mark(MARKS[position % len(MARKS)], position, across.at(figure.value), y)]

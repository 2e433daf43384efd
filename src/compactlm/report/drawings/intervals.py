"""Figures with their intervals, one below the other: fairness, slices, robustness."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

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
from compactlm.report.numbers import PER_CENT, Figure

NAME, EACH, GAP, FOOT = 17.0, 13.0, 8.0, 40.0
SIDE = 14.0


@dataclasses.dataclass(frozen=True)
class Line:
    """A name, and a figure by series; a series without a figure is left out."""

    name: str
    figures: Mapping[str, Figure]


@dataclasses.dataclass(frozen=True)
class Scale:
    """What is measured; the value that stands for parity or the like, if any; the limits of what passes; whether in per cent."""

    title: str
    reference: float | None = None
    limits: tuple[float, float] | None = None
    percent: bool = False


def draw_intervals(title: str, description: str, scale: Scale, series: Sequence[str], lines: Sequence[Line]) -> Markup:
    """Draw a figure for each line and series, with the interval as a bar through it.

    Args:
        title: the drawing's name, unique on the page.
        description: what it shows, for those who do not see it.
        scale: of all lines.
        series: names, in the order of colours and marks.
        lines: at least one, with a figure at least.
    """
    drawn, top = legend(series)
    across = _range(scale, lines)
    height = top + sum(NAME + EACH * len(series) + GAP for _ in lines) + FOOT
    values = ticks(across.low, across.high, 4)
    texts = [f"{text}{PER_CENT}" for text in tick_texts([100 * value for value in values])] if scale.percent else tick_texts(values)
    for value, text in zip(values, texts, strict=True):
        room = CHARACTER * len(text) / 2
        drawn.append(label(text, min(max(across.at(value), room), WIDTH - room), height - FOOT + 15, "tick", "middle"))
    drawn.append(label(scale.title, WIDTH / 2, height - 8, "axis", "middle"))
    y = top
    for one in lines:
        drawn += [label(one.name, 4, y + 13, "name"), *_ground(scale, across, values, y + NAME, y + NAME + EACH * len(series))]
        for position, name in enumerate(series):
            drawn += _figure(one.figures.get(name, {}), position, across, y + NAME + EACH * (position + 0.5))
        y += NAME + EACH * len(series) + GAP
    return frame(title, description, height, drawn)


def _ground(scale: Scale, across: Range, values: Sequence[float], top: float, bottom: float) -> list[str]:
    """Return what lies under the figures of a line, and not under its name: the band of the limits, the grid and the reference."""
    drawn = []
    if scale.limits:
        low, high = (across.at(min(max(limit, across.low), across.high)) for limit in scale.limits)
        drawn.append(
            f'<rect class="band" x="{number(low)}" y="{number(top)}" width="{number(high - low)}" height="{number(bottom - top)}"/>'
        )
    drawn += [line("grid", across.at(value), top, across.at(value), bottom) for value in values]
    if scale.reference is not None:
        drawn.append(line("reference", across.at(scale.reference), top, across.at(scale.reference), bottom))
    return drawn


def _range(scale: Scale, lines: Sequence[Line]) -> Range:
    found = [value for one in lines for figure in one.figures.values() for value in figure.values()]
    low, high = widened([*found, *([] if scale.reference is None else [scale.reference])])
    return Range(low, high, SIDE, WIDTH - SIDE)


def _figure(figure: Figure, position: int, across: Range, y: float) -> list[str]:
    if "value" not in figure:
        return []
    drawn = []
    if "low" in figure and "high" in figure:
        drawn.append(line(f"whisker s{position}", across.at(figure["low"]), y, across.at(figure["high"]), y))
    return [*drawn, mark(MARKS[position % len(MARKS)], position, across.at(figure["value"]), y)]

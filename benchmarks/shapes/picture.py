"""The picture of the frontier: the retention of each shape against its size and its latency."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from benchmarks.shapes.results import Point
from compactlm.artifacts import replacing

# Each series has its own marker, and a colour from the palette of Okabe and Ito for colour-blind readers.
SERIES = (
    ("retention", "accuracy", "#0072B2", "o"),
    ("retention_above_chance", "accuracy above chance", "#D55E00", "s"),
    ("masked_words_retention", "masked words", "#009E73", "^"),
)
GREY = "#666666"


def draw(path: Path, points: Sequence[Point], latencies: Mapping[str, float], enough: float, budget: float) -> None:
    """Draw retention against parameters and, for shapes that were timed, against latency, as a PNG.

    Lines show the retention `enough`, the share `budget` of the teacher's parameters, and the teacher's latency. `latencies` are in
    milliseconds, by shape or for `teacher`.
    """
    figure = Figure(figsize=(12.5, 5.6), dpi=130, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _panel(left, points, {one.name: one.parameters / 1e6 for one in points}, enough)
    teacher = max(one.parameters / one.share for one in points) / 1e6
    _mark(left, budget * teacher, f"{100 * budget:g}% of the teacher's {teacher:.1f}M")
    _ticks(left, [one.parameters / 1e6 for one in points])
    left.set_xlabel("parameters, millions")
    left.set_ylabel("retention")
    timed = [one for one in points if one.name in latencies]
    _panel(right, timed, latencies, enough)
    if "teacher" in latencies:
        _mark(right, latencies["teacher"], f"teacher, {latencies['teacher']:.1f} ms")
    _ticks(right, [latencies[one.name] for one in timed])
    right.set_xlabel("latency on the CPU, ms per sequence")
    left.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    values = [value for one in points for key, *_ in SERIES if (value := getattr(one, key)) is not None]
    left.set_ylim(min(0.0, *values) - 0.02, max(1.0, *values) + 0.2)
    figure.suptitle("Retention of the teacher's quality on test rows, by size of the student")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(SERIES) + 1, frameon=False)
    with replacing(path) as unfinished:
        figure.savefig(unfinished, format="png", metadata={"Software": None})


def _panel(axes: Axes, points: Sequence[Point], where: Mapping[str, float], enough: float) -> None:
    ordered = sorted(points, key=lambda one: where[one.name])
    for key, label, colour, marker in SERIES:
        judged = [(where[one.name], getattr(one, key)) for one in ordered if getattr(one, key) is not None]
        axes.plot(*zip(*judged, strict=True) if judged else ([], []), color=colour, marker=marker, label=label)
    axes.axhline(enough, color=GREY, linestyle=":", linewidth=1, label=f"enough: {100 * enough:g}%")
    axes.set_xscale("log")
    axes.grid(visible=True, alpha=0.25)
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)
    for one in ordered:
        top = max((getattr(one, key) for key, *_ in SERIES if getattr(one, key) is not None), default=0.0)
        axes.annotate(one.name, (where[one.name], top), xytext=(0, 8), textcoords="offset points", rotation=35, weight="bold")


def _ticks(axes: Axes, values: Sequence[float]) -> None:
    """Label the values on the axis, except those whose label would touch the previous one."""
    low, high = axes.get_xlim()
    apart = (high / low) ** 0.06 if values else 1.0
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value >= kept[-1] * apart:
            kept.append(value)
    axes.xaxis.set_major_locator(FixedLocator(kept))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))


def _mark(axes: Axes, where: float, label: str) -> None:
    axes.axvline(where, color=GREY, linestyle="--", linewidth=1)
    low, high = axes.get_xlim()
    side = "left" if where < math.sqrt(low * high) else "right"
    where_and_how = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "color": GREY}
    axes.annotate(f" {label} ", (where, 1), xytext=(0, -4), ha=side, va="top", **where_and_how)

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from compactlm.figures.figure import Figure, Limit
from compactlm.report.drawings.canvas import tick_texts, ticks
from compactlm.report.drawings.interval_chart import Line, Scale, draw_intervals
from compactlm.report.drawings.line_chart import Axis, Series, draw_lines


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.81, 0.93), (-0.3, 0.2), (0.0, 965.0), (1e-5, 3e-5)])
def test_ticks_are_evenly_spaced_and_within_bounds(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 7
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)
    steps = {round(later - earlier, 9) for earlier, later in itertools.pairwise(found)}
    assert len(steps) == 1


def test_ticks_have_equally_many_digits():
    assert tick_texts([0.0, 0.25, 0.5]) == ["0.00", "0.25", "0.50"]
    assert tick_texts([-1.0, 0.0]) == ["\N{MINUS SIGN}1", "0"]


def read(svg):
    return ET.fromstring(str(svg))  # noqa: S314 - our own drawing


def test_lines_are_well_formed_and_within_the_drawing():
    series = [Series("teacher <1>", [(0, 0.2), (50, 0.9)]), Series("student", [(0, 0.4)], names=["4x128"], joined=False)]
    root = read(draw_lines("Quality & size", "What it shows.", Axis("step"), Axis("loss", low=0.0), series))
    assert root.get("role") == "img"
    assert {child.tag for child in root} >= {"title", "desc", "polyline", "circle", "rect", "text"}
    width, height = map(float, root.get("viewBox").split()[2:])
    for point in re.findall(r"[\d.]+,[\d.]+", root.find("polyline").get("points")):
        x, y = map(float, point.split(","))
        assert 0 <= x <= width
        assert 0 <= y <= height
    assert "teacher <1>" in [text.text for text in root.iter("text")]


def test_a_figure_is_drawn_within_its_interval_and_a_missing_one_is_left_out():
    lines = [
        Line("women to men", {"teacher": Figure(0.1, 0.0, 0.2), "student": Figure(None)}),
        Line("old to young", {"teacher": Figure(-0.1), "student": Figure(0.0, -0.1, 0.1, limit=Limit(high=0.05))}),
    ]
    scale = Scale("difference", reference=0.0)
    root = read(draw_intervals("Groups", "What it shows.", scale, ("teacher", "student"), lines))
    whiskers = [line for line in root.iter("line") if "whisker" in line.get("class")]
    assert len(whiskers) == 2
    marks = [float(circle.get("cx")) for circle in root.iter("circle")][1:]  # after the legend's
    assert float(whiskers[0].get("x1")) < marks[0] < float(whiskers[0].get("x2"))
    assert marks[1] < marks[0]
    assert sum("reference" in line.get("class") for line in root.iter("line")) == 2
    [band] = [one for one in root.iter("rect") if one.get("class") == "band"]
    assert marks[1] < float(band.get("x")) + float(band.get("width")) < marks[0]
    assert float(band.get("y")) > float(whiskers[0].get("y1"))  # beside the second line, which has a limit


def test_names_are_beside_the_band_and_ticks_within_the_drawing():
    lines = [Line(name, {"kept": Figure(0.5, -10.0, 10.0, limit=Limit(-1.0, 1.0))}) for name in ("keyboard", "case")]
    root = read(draw_intervals("Groups", "What it shows.", Scale("difference", 0.0, percent=True), ("kept",), lines))
    names = [float(text.get("y")) for text in root.iter("text") if text.get("class") == "name"]
    bands = [(float(one.get("y")), float(one.get("height"))) for one in root.iter("rect") if one.get("class") == "band"]
    assert len(names) == len(bands) == 2
    assert all(not top <= name <= top + height for name in names for top, height in bands)
    width = float(root.get("viewBox").split()[2])
    ticks = [(float(text.get("x")), len(text.text) * 6.4 / 2) for text in root.iter("text") if text.get("class") == "tick"]
    assert len(ticks) > 2
    assert all(half <= x <= width - half for x, half in ticks)

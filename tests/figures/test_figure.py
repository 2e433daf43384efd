import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.figures.figure import Figure, Limit, Status, is_figure

numbers = st.floats(-10, 10)


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (-0.05, 0.05, Status.OK),
        (-0.1, 0.1, Status.OK),
        (0.05, 0.2, Status.UNDECIDED),
        (0.11, 0.2, Status.VIOLATED),
        (-1, 1, Status.UNDECIDED),
    ],
)
def test_the_whole_interval_decides(low, high, status):
    assert Figure.measured((low + high) / 2, low, high, rows=100, limit=Limit(-0.1, 0.1)).status is status


@pytest.mark.parametrize(
    "figure",
    [
        Figure.measured(None, rows=100),
        Figure.measured(math.nan, 0.0, 1.0, rows=100),
        Figure.measured(0.5, 0.4, 0.6, rows=29, rows_needed=30, limit=Limit(0, 1)),
        Figure.measured(0.5, rows=100, limit=Limit(0, 1)),
    ],
)
def test_what_cannot_be_judged_never_passes(figure):
    assert figure.status is Status.NOT_JUDGED
    assert not figure.judged


def test_an_exact_number_needs_no_interval():
    assert Figure.exact(0.11, limit=Limit(high=0.1)).status is Status.VIOLATED
    assert Figure.exact(0.1, limit=Limit(high=0.1)).to_json() == {"value": 0.1, "limit_high": 0.1, "status": 0}


@given(numbers, numbers, numbers, st.integers(0, 100), st.none() | st.integers(0, 100), st.none() | st.tuples(numbers, st.none() | numbers))
def test_json_gives_back_the_figure(value, low, high, rows, needed, bounds):
    figure = Figure.measured(value, low, high, rows=rows, rows_needed=needed, limit=Limit(*bounds) if bounds else None)
    written = json.loads(json.dumps(figure.to_json()))
    assert is_figure(written)
    assert Figure.from_json(written) == figure

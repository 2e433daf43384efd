import json
import math
import random
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compactlm.figures.figure import Figure, Limit, Status, find_figures, is_figure, read_figures, write_figures
from compactlm.figures.numbers import limited

numbers = st.floats(-10, 10)


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (-0.05, 0.05, Status.OK),
        (-0.1, 0.1, Status.OK),
        (0.05, 0.2, Status.UNDECIDED),
        (0.11, 0.2, Status.VIOLATED),
        (-1, 1, Status.UNDECIDED),
        (-0.2, -0.11, Status.VIOLATED),
    ],
)
def test_the_whole_interval_decides_the_status(low, high, status):
    assert Figure.measured((low + high) / 2, low, high, rows=100, limit=Limit(-0.1, 0.1)).status is status


@pytest.mark.parametrize(
    ("value", "half", "rows"),
    [(0.0, 0.2, 400), (0.06, 0.08, 400), (-0.06, 0.08, 400), (0.14, 0.08, 400), (0.1, 0.1, None), (0.0, 0.05, None), (0.5, 0.1, None)],
)
def test_an_undecided_figure_says_how_many_rows_would_decide_it(value, half, rows):
    figure = Figure.measured(value, value - half, value + half, rows=100, limit=Limit(-0.1, 0.1))
    found = figure.rows_to_decide
    assert found == (rows if rows is None else pytest.approx(rows, abs=1))
    if found:
        narrow = 0.999 * half / math.sqrt(found / 100)
        assert figure.limit.status(value - narrow, value + narrow) is not Status.UNDECIDED
        assert f"undecided (limit: -0.1 to 0.1; about {found:,} rows would decide)" in limited(figure)


@pytest.mark.parametrize("rows", range(100))
def test_a_number_of_rows_near_the_fewest_that_are_needed_leaves_a_figure_undecided(rows):
    figure = Figure.measured(0.5, 0.4, 0.6, rows=rows, rows_needed=30, limit=Limit(0, 1))
    expected = Status.NOT_JUDGED if rows <= 20 else Status.UNDECIDED if rows <= 43 else Status.OK
    assert figure.status is expected
    assert figure.rows_to_decide == (44 if expected is Status.UNDECIDED else None)
    beyond = Figure.measured(0.5, 0.4, 0.6, rows=rows, rows_needed=30, limit=Limit(2, 3))
    assert (beyond.status is Status.VIOLATED) == (rows > 43)


def test_the_status_of_few_rows_seldom_differs_between_samples():
    rng, needed, texts = random.Random(0), 30, 1600
    seen = Counter(
        Figure.measured(
            0.0, -0.3, 0.3, rows=sum(rng.random() < 32 / texts for _ in range(texts)), rows_needed=needed, limit=Limit(-0.1, 0.1)
        ).status
        for _ in range(200)
    )
    assert seen[Status.UNDECIDED] >= 190  # with a fixed threshold a third of the samples was not judged


def test_a_limit_can_be_added_to_a_figure():
    figure = Figure.measured(0.04, 0.02, 0.06, rows=100, rows_needed=30)
    assert figure.with_limit(Limit(high=0.05)) == Figure.measured(0.04, 0.02, 0.06, rows=100, rows_needed=30, limit=Limit(high=0.05))


@pytest.mark.parametrize(
    ("bounds", "rows", "sign"),
    [((-0.2, -0.1), 100, -1), ((0.1, 0.2), 100, 1), ((-0.1, 0.2), 100, 0), ((-0.2, -0.1), 9, 0), ((None, None), 100, 0)],
)
def test_the_sign_is_that_of_the_whole_interval_or_0(bounds, rows, sign):
    assert Figure.measured(-0.15, *bounds, rows=rows, rows_needed=30).sign == sign


@pytest.mark.parametrize(
    "figure",
    [
        Figure.measured(None, rows=100),
        Figure.measured(math.nan, 0.0, 1.0, rows=100),
        Figure.measured(0.5, 0.4, 0.6, rows=20, rows_needed=30, limit=Limit(0, 1)),
        Figure.measured(0.5, rows=29, rows_needed=30),
        Figure.measured(0.5, rows=100, limit=Limit(0, 1)),
        Figure.measured(0.5, 0.4, math.inf, rows=100, limit=Limit(0, 1)),
    ],
)
def test_a_figure_without_an_interval_or_enough_rows_is_not_judged(figure):
    assert figure.status is Status.NOT_JUDGED
    assert not figure.judged


@given(numbers, numbers, numbers, st.integers(0, 100), st.none() | st.integers(0, 100), st.none() | st.tuples(numbers, st.none() | numbers))
def test_a_figure_is_read_back_from_json(value, low, high, rows, needed, bounds):
    figure = Figure.measured(value, low, high, rows=rows, rows_needed=needed, limit=Limit(*bounds) if bounds else None)
    written = json.loads(json.dumps(figure.to_json()))
    assert is_figure(written)
    assert Figure.from_json(written) == figure


@given(numbers, numbers, numbers, numbers, st.tuples(*[st.floats(-1e-9, 1e-9)] * 2))
@example(0.1, 0.1, -0.1, 0.1, (1e-9, 1e-9))
@example(0.0, 0.0, 0.0, 0.0, (-1e-9, -1e-9))
def test_rounding_never_turns_ok_into_violated(low, high, least, greatest, noise):
    limit = Limit(min(least, greatest), max(least, greatest))
    bounds = sorted((low, high))
    before = limit.status(*bounds)
    after = limit.status(*sorted(bound + more for bound, more in zip(bounds, noise, strict=True)))
    assert {before, after} != {Status.OK, Status.VIOLATED}


@given(
    st.recursive(
        st.floats() | st.integers() | st.text(max_size=3),
        lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=4),
        max_leaves=9,
    ).filter(lambda value: isinstance(value, dict))
)
def test_only_values_that_are_not_finite_are_left_out_of_json(metrics):
    kept = json.loads(json.dumps(write_figures(metrics), allow_nan=False))
    for key, value in metrics.items():
        assert (key in kept) == (not isinstance(value, float) or math.isfinite(value))


def test_nested_figures_are_read_back_typed():
    metrics = {"a": {"b": Figure.measured(0.5, 0.4, 0.6, rows=3, rows_needed=30)}, "gate": {"status": 3, "checks": 0}, "rows": 3}
    assert read_figures(write_figures(metrics)) == metrics
    assert dict(find_figures(metrics)) == {("a", "b"): metrics["a"]["b"]}
    assert metrics["a"]["b"].reason == "3 rows; at least 30 are needed"

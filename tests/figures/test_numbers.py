import pytest

from compactlm.figures import numbers
from compactlm.figures.figure import Figure, Limit


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.000123, "0.000123"), (1.0, "1.00"), (47.036, "47.0"), (1339.5, "1,340"), (12.3456, "12.3")]
)
def test_three_significant_digits(value, text):
    assert numbers.significant(value) == text


def test_sizes_and_times_have_units():
    assert numbers.size(999) == "999 bytes"
    assert numbers.size(9_085_188) == "9.1 MB"
    assert numbers.duration(64.37) == "64.4 s"
    assert numbers.duration(300) == "5.0 min"


@pytest.mark.parametrize(
    ("figure", "show", "text"),
    [
        (Figure(0.5), numbers.percent, "50.0\N{NO-BREAK SPACE}%"),
        (Figure(0.5, 0.4, 0.6), numbers.percent, "50.0\N{NO-BREAK SPACE}% (40.0 to 60.0)"),
        (Figure(-0.05, -0.1, 0.0), numbers.points, "\N{MINUS SIGN}5.0 points (\N{MINUS SIGN}10.0 to +0.0)"),
        (Figure.measured(0.5, 0.4, 0.6, limit=Limit(0.3)), numbers.plain, "0.500 (0.400 to 0.600), ok"),
        (Figure.measured(0.5, 0.4, 0.6, limit=Limit(0.5)), numbers.plain, "0.500 (0.400 to 0.600), undecided"),
        (
            Figure.measured(0.55, 0.45, 0.65, rows=1000, limit=Limit(0.5)),
            numbers.plain,
            "0.550 (0.450 to 0.650), undecided: about 4,000 rows needed",
        ),
        (
            Figure.measured(0.55, 0.53, 0.57, rows=32, rows_needed=30, limit=Limit(0.5)),
            numbers.plain,
            "0.550 (0.530 to 0.570), undecided: about 44 rows needed",
        ),
        (Figure.measured(0.5, 0.4, 0.6, limit=Limit(0.7)), numbers.plain, "0.500 (0.400 to 0.600), violated"),
    ],
)
def test_a_figure_is_written_with_its_interval_and_its_status(figure, show, text):
    assert numbers.stated(figure, show) == text


def test_not_judged_is_written_once():
    assert numbers.stated(Figure.measured(None)).count("not judged") == 1
    few = numbers.stated(Figure.measured(0.5, 0.4, 0.6, rows=9, rows_needed=30))
    assert few.startswith("0.500 (0.400 to 0.600), not judged")
    assert "30" in few


def test_lists_read_as_sentences():
    assert numbers.listed([]) == ""
    assert numbers.listed(["a"]) == "a"
    assert numbers.listed(["a", "b", "c"]) == "a, b and c"

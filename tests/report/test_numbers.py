import pytest

from compactlm.report import numbers


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


def test_a_figure_without_a_value_was_not_judged():
    assert numbers.shares({}) == numbers.figures({}) == numbers.gaps({}) == "not judged"
    assert numbers.shares({"value": 0.5}) == "50.0\N{NO-BREAK SPACE}%"
    assert numbers.shares({"value": 0.5, "low": 0.4, "high": 0.6}) == "50.0\N{NO-BREAK SPACE}% (40.0 to 60.0)"
    assert numbers.gaps({"value": -0.05, "low": -0.1, "high": 0.0}) == "\N{MINUS SIGN}5.0 points (\N{MINUS SIGN}10.0 to +0.0)"


def test_lists_read_as_sentences():
    assert numbers.listed([]) == ""
    assert numbers.listed(["a"]) == "a"
    assert numbers.listed(["a", "b", "c"]) == "a, b and c"

import time

import pytest

from compactlm.params.expressions import check_expression, matches


@pytest.mark.parametrize(
    "pattern", ["(", "a{99999999999}", "(" * 5_000 + ")" * 5_000, r"\p{L}", "*", "(?P<a>x)(?P<a>y)", "[b-a]", "(?<=a+)b"]
)
def test_what_is_no_regular_expression_is_refused(pattern):
    with pytest.raises(ValueError, match=r"^mine is .*, which is not a regular expression"):
        check_expression(pattern, "mine")


@pytest.mark.parametrize("pattern", ["", r"question\d+:", "[[a]", "(?i)a", "a++"])
def test_a_regular_expression_is_accepted(pattern):
    check_expression(pattern, "mine")


def test_a_search_for_ever_counts_as_a_match():
    start = time.process_time()
    assert matches(r"(a|a)*$", "a" * 60 + "!")
    assert time.process_time() - start < 5
    assert not matches("b", "a")

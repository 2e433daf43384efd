import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compactlm.errors import CompactLMError
from compactlm.fairness.gate import NOT_JUDGED, PASSED, VIOLATED, Verdict, check_difference, check_ratio, enforce


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (1.0, PASSED),
        (0.8, PASSED),
        (1.25, PASSED),
        (0.79, VIOLATED),
        (1.26, VIOLATED),
        (0.0, VIOLATED),
        (math.nan, NOT_JUDGED),
        (None, NOT_JUDGED),
    ],
)
def test_a_ratio_is_judged_either_way(value, status):
    assert check_ratio("impact", value, 0.8).status == status


@pytest.mark.parametrize(
    ("value", "status"), [(0.1, PASSED), (-0.1, PASSED), (0.11, VIOLATED), (-0.2, VIOLATED), (math.nan, NOT_JUDGED), (math.inf, NOT_JUDGED)]
)
def test_a_difference_is_judged_either_way(value, status):
    assert check_difference("gap", value, 0.1).status == status


@given(st.one_of(st.none(), st.floats()), st.floats(0, 1), st.booleans())
@example(math.inf, 0.0, False)
def test_what_is_no_number_or_comes_with_a_reason_never_passes(value, limit, small):
    why = "only 3 rows" if small else None
    for check in (check_ratio("impact", value, limit, why), check_difference("gap", value, limit, why)):
        if small or value is None or not math.isfinite(value):
            assert check.status != PASSED
            assert not Verdict([check]).passed
        assert check.what in check.sentence()


def test_a_verdict_passes_only_if_all_do():
    good, bad, unknown = check_difference("a", 0.0, 0.1), check_difference("b", 0.3, 0.1), check_difference("c", None, 0.1, "too few")
    assert Verdict([good]).passed
    assert Verdict([good]).metrics() == {"passed": 1, "checks": 1, "violations": 0, "not_judged": 0}
    assert Verdict([good, unknown]).metrics() == {"passed": 0, "checks": 2, "violations": 0, "not_judged": 1}
    assert Verdict([]).metrics()["passed"] == 0
    lines = Verdict([good, unknown, bad]).lines()
    assert lines == [
        "Fairness gate: not passed (1 violated, 1 not judged, of 3 checks).",
        "b: 0.300, outside the limit (at most 0.1 either way)",
        "c: not judged, which is no pass (too few)",
    ]


def test_a_violation_ends_the_stage_only_where_it_should():
    bad, unknown, good = check_ratio("b", 0.5, 0.8), check_ratio("c", None, 0.8, "too few"), check_ratio("a", 1.0, 0.8)
    enforce(Verdict([bad, unknown]), "warn", "page")
    enforce(Verdict([good]), "fail", "page")
    enforce(Verdict([]), "fail", "page")
    with pytest.raises(CompactLMError, match=r"not passed \(1 violated, 1 not judged, of 2 checks\), first b: 0.500, outside .* see page"):
        enforce(Verdict([unknown, bad]), "fail", "page")
    with pytest.raises(CompactLMError, match="first c: not judged, which is no pass"):
        enforce(Verdict([unknown, good]), "fail", "page")

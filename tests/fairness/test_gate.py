import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compactlm.errors import CompactLMError
from compactlm.fairness.gate import DATA, MODEL, NOT_JUDGED, PASSED, VIOLATED, Verdict, enforce_data_gate
from compactlm.fairness.gate import check_difference as difference_of_estimate
from compactlm.fairness.gate import check_ratio as ratio_of_estimate
from compactlm.figures.bootstrap import Estimate


def estimate(value, *bounds):
    return None if value is None else Estimate(value, *bounds)


def check_ratio(what, value, limit, why_not=None):
    return ratio_of_estimate(what, ("task", what), estimate(value), limit, why_not)


def check_difference(what, value, limit, why_not=None):
    return difference_of_estimate(what, ("task", what), estimate(value), limit, why_not)


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
            assert not Verdict(MODEL, [check]).passed
        assert check.what in check.sentence()


def test_a_verdict_passes_only_if_all_do():
    good, bad, unknown = check_difference("a", 0.0, 0.1), check_difference("b", 0.3, 0.1), check_difference("c", None, 0.1, "too few")
    assert Verdict(MODEL, [good]).passed
    counts = {"passed": 1, "checks": 1, "violations": 0, "not_judged": 0}
    assert Verdict(MODEL, [good]).metrics() == counts | {"figures": {"task": {"a": {"judged": 1, "violated": 0}}}}
    assert Verdict(MODEL, []).metrics()["passed"] == 0
    lines = Verdict(MODEL, [good, unknown, bad]).lines()
    assert lines == [
        "Model gate: not passed (1 violated, 1 not judged, of 3 checks).",
        "b: 0.300, outside the limit (at most 0.1 either way)",
        "c: not judged, which is no pass (too few)",
    ]


def test_the_metrics_name_what_is_violated_and_what_is_not_judged():
    good, bad, unknown = check_difference("a", 0.0, 0.1), check_difference("b", 0.3, 0.1), check_difference("c", None, 0.1, "too few")
    assert Verdict(DATA, [good, bad, unknown]).metrics() == {
        "passed": 0,
        "checks": 3,
        "violations": 1,
        "not_judged": 1,
        "figures": {"task": {"a": {"judged": 1, "violated": 0}, "b": {"judged": 1, "violated": 1}, "c": {"judged": 0}}},
    }


def test_a_sentence_has_the_interval():
    check = ratio_of_estimate("impact", ("a",), Estimate(1.3, 0.9, 1.7), 0.8)
    assert check.sentence() == "impact: 1.300 (0.900 to 1.700), outside the limit (0.8 to 1.25)"


def test_a_violation_ends_the_stage_only_where_it_should():
    bad, unknown, good = check_ratio("b", 0.5, 0.8), check_ratio("c", None, 0.8, "too few"), check_ratio("a", 1.0, 0.8)
    enforce_data_gate(Verdict(DATA, [bad, unknown]), "warn", "page")
    enforce_data_gate(Verdict(DATA, [good]), "fail", "page")
    enforce_data_gate(Verdict(DATA, []), "fail", "page")
    sentence = r"^Data gate: not passed \(1 violated, 1 not judged, of 2 checks\): b: 0.500, outside .*; c: not .*; see page, .*gate.data"
    with pytest.raises(CompactLMError, match=sentence):
        enforce_data_gate(Verdict(DATA, [unknown, bad]), "fail", "page")
    with pytest.raises(CompactLMError, match=r"^Data gate: .* checks\): c: not judged, which is no pass .*gate.data"):
        enforce_data_gate(Verdict(DATA, [unknown, good]), "fail", "page")


def test_the_sentence_names_some_of_many_violations_and_counts_the_rest():
    with pytest.raises(CompactLMError, match=r"n0: .* n4: .*; and 3 more; see page") as caught:
        enforce_data_gate(Verdict(DATA, [check_ratio(f"n{at}", 0.5, 0.8) for at in range(8)]), "fail", "page")
    assert "n5" not in str(caught.value)

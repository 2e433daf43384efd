import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.fairness.audit.labels import Rows, measure
from compactlm.fairness.audit.reweighing import combined, reweighing
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import find_figures
from tests.fairness.audit.labelled_rows import GENDER, THREE, make_rows
from tests.fixtures.builders import make_attribute

AGE = make_attribute({"old": ["old"], "young": ["young"]}, privileged="young")
TWO_GROUPS = make_rows(women=(30, 10), men=(30, 30))
counts = st.integers(1, 30)


@pytest.mark.slow
@given(counts, counts, counts, counts, counts, counts)
def test_reweighing_gives_parity_between_all_groups_and_keeps_the_mean(a, b, c, d, e, f):
    rows = make_rows(women=(a, b), men=(c, d), neither=(3, 3), others=(e, f))
    weights = reweighing(rows, THREE, "good", 1)
    for (*_, name), figure in find_figures(measure(rows, THREE, ["bad", "good"], 1, Resampler(2, 0), weights).pairs):
        assert figure.value == pytest.approx(1 if name == "disparate_impact" else 0, abs=1e-9)
    assert math.fsum(weights) / len(weights) == pytest.approx(1)
    assert all(weight > 0 for weight in weights)
    assert [weight for weight, name in zip(weights, rows.categories, strict=True) if name == "neither"] == [1.0] * 6


def test_weights_agree_with_the_paper():
    # 40 women (30 favourable), 60 men (30): 60 % of the hundred favourable; for women 0.6 * 0.4 / 0.3, and so on.
    weights = reweighing(TWO_GROUPS, GENDER, "good", 1)
    assert weights[0] == pytest.approx(0.8)
    assert weights[30] == pytest.approx(1.6)
    assert weights[40] == pytest.approx(1.2)
    assert weights[70] == pytest.approx(0.8)


@pytest.mark.parametrize(("women", "men", "minimum"), [((2, 2), (9, 9), 5), ((5, 0), (9, 9), 1), ((0, 0), (9, 9), 1)])
def test_rows_that_cannot_be_balanced_keep_weight_one(women, men, minimum):
    rows = make_rows(women=women, men=men)
    assert reweighing(rows, GENDER, "good", minimum) == [1.0] * len(rows.categories)


def test_a_small_group_does_not_keep_others_from_being_balanced():
    rows = make_rows(women=(30, 10), men=(30, 30), others=(2, 1))
    assert reweighing(rows, THREE, "good", 5) == [*reweighing(TWO_GROUPS, GENDER, "good", 5), 1.0, 1.0, 1.0]


def test_weights_of_several_attributes_are_multiplied_and_have_mean_one():
    age = Rows((["old_only"] * 5 + ["young_only"] * 5) * 10, TWO_GROUPS.labels, TWO_GROUPS.documents)
    weights = combined({"gender": TWO_GROUPS, "age": age}, {"gender": GENDER, "age": AGE}, "good", 1, 100)
    assert math.fsum(weights) / 100 == pytest.approx(1)
    one, other = reweighing(TWO_GROUPS, GENDER, "good", 1), reweighing(age, AGE, "good", 1)
    ratios = {round(weight / (a * b), 9) for weight, a, b in zip(weights, one, other, strict=True)}
    assert len(ratios) == 1


def test_without_attributes_all_weights_are_one():
    assert combined({}, {}, "good", 1, 3) == [1.0, 1.0, 1.0]

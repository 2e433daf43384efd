import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.fairness.audit import Rows, measure
from compactlm.fairness.mitigation import combined, reweighing
from compactlm.params import Attribute

GENDER = Attribute(groups={"women": ["she"], "men": ["he"]}, privileged="men", unprivileged="women")
AGE = Attribute(groups={"old": ["old"], "young": ["young"]}, privileged="young", unprivileged="old")
counts = st.integers(1, 30)


def make_rows(women, men, neither=(3, 3), names=("women_only", "men_only", "neither")):
    categories, favorable = [], []
    for name, (good, bad) in zip(names, (women, men, neither), strict=True):
        categories += [name] * (good + bad)
        favorable += [True] * good + [False] * bad
    return Rows(categories, favorable)


@given(counts, counts, counts, counts)
def test_reweighing_gives_parity_and_keeps_the_mean(a, b, c, d):
    rows = make_rows((a, b), (c, d))
    weights = reweighing(rows, GENDER, 1)
    found = measure(rows, GENDER, 1, weights)
    assert found.disparate_impact == pytest.approx(1)
    assert found.statistical_parity_difference == pytest.approx(0, abs=1e-9)
    assert math.fsum(weights) / len(weights) == pytest.approx(1)
    assert all(weight > 0 for weight in weights)
    assert weights[-6:] == [1.0] * 6


def test_weights_are_those_of_the_paper():
    # 40 women (30 favourable), 60 men (30): 60 % of the hundred favourable; for women 0.6 * 0.4 / 0.3, and so on.
    weights = reweighing(make_rows((30, 10), (30, 30)), GENDER, 1)
    assert weights[0] == pytest.approx(0.8)
    assert weights[30] == pytest.approx(1.6)
    assert weights[40] == pytest.approx(1.2)
    assert weights[70] == pytest.approx(0.8)


@pytest.mark.parametrize(("women", "men", "minimum"), [((2, 2), (9, 9), 5), ((5, 0), (9, 9), 1), ((0, 0), (9, 9), 1)])
def test_what_cannot_be_balanced_keeps_weight_one(women, men, minimum):
    rows = make_rows(women, men)
    assert reweighing(rows, GENDER, minimum) == [1.0] * len(rows.categories)


def test_several_attributes_multiply_to_mean_one():
    gender = make_rows((30, 10), (30, 30), (0, 0))
    age = Rows((["old_only"] * 5 + ["young_only"] * 5) * 10, gender.favorable)
    weights = combined({"gender": gender, "age": age}, {"gender": GENDER, "age": AGE}, 1, 100)
    assert math.fsum(weights) / 100 == pytest.approx(1)
    one, other = reweighing(gender, GENDER, 1), reweighing(age, AGE, 1)
    ratios = {round(weight / (a * b), 9) for weight, a, b in zip(weights, one, other, strict=True)}
    assert len(ratios) == 1


def test_without_attributes_all_weights_are_one():
    assert combined({}, {}, 1, 3) == [1.0, 1.0, 1.0]

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.figures.quality import accuracy, chance, headline_figures, retention, retention_above_chance

LABELS = st.lists(st.integers(0, 2), min_size=1, max_size=30)


def test_figures_of_a_small_example():
    expected, teacher, student = [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1, 1, 1, 0], [0, 0, 1, 1, 1, 1, 1, 1, 0, 0]
    found = headline_figures(expected, teacher, student)
    assert (found["rows"], found["teacher"], found["chance"]) == (10, 0.9, 0.7)
    assert found["student"] == pytest.approx(0.7)
    assert found["retention"] == pytest.approx(7 / 9)
    assert found["retention_above_chance"] == pytest.approx(0)
    assert found["agreement"] == pytest.approx(0.8)


def test_retention_above_chance_needs_a_teacher_above_chance():
    assert retention_above_chance(0.5, 0.85, 0.5) == 0
    assert math.isnan(retention_above_chance(0.6, 0.5, 0.5))
    assert math.isnan(retention_above_chance(0.6, 0.4, 0.5))
    assert math.isnan(retention(0.5, 0))


@given(labels=LABELS)
def test_chance_is_the_accuracy_of_the_best_constant(labels):
    assert chance(labels) == max(accuracy(labels, [label] * len(labels)) for label in range(3))
    assert accuracy(labels, labels) == 1

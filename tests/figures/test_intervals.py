import math

import numpy as np
import pytest
from scipy.stats import norm

from compactlm.figures import intervals
from compactlm.figures.intervals import mean_interval, percentile_interval, ratio_interval, resampled_weights, share


def all_weights(rows, resamples, seed):
    return np.concatenate(list(resampled_weights(rows, resamples, seed)))


def test_a_resample_has_as_many_rows_as_the_sample(monkeypatch):
    monkeypatch.setattr(intervals, "AT_ONCE", 350)
    parts = list(resampled_weights(50, 20, 3))
    assert [len(part) for part in parts] == [7, 7, 6]
    weights = np.concatenate(parts)
    assert weights.shape == (20, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert len({tuple(row) for row in weights}) == 20


def test_resamples_depend_on_the_seed_alone():
    assert (all_weights(40, 10, 1) == all_weights(40, 10, 1)).all()
    assert (all_weights(40, 10, 1) != all_weights(40, 10, 2)).any()


def test_the_interval_of_a_mean_is_that_of_the_normal_law_for_many_rows():
    values = np.random.default_rng(0).normal(2.0, 1.0, 2000)
    found = mean_interval(values, 2000, 5)
    half = norm.ppf(0.975) * values.std() / math.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_a_ratio_of_the_same_rows_is_surer_than_its_parts():
    below = (np.random.default_rng(1).random(500) < 0.6).astype(float)
    above = below.copy()
    above[np.flatnonzero(below)[:10]] = 0
    found = ratio_interval(above, below, 500, 1)
    assert found.value == pytest.approx(above.sum() / below.sum())
    assert found.low < found.value < found.high <= 1
    assert found.high - found.low < share(int(above.sum()), 500).high - share(int(above.sum()), 500).low


def test_what_has_no_rows_has_no_value():
    empty = np.zeros(0)
    for found in (
        share(0, 0),
        mean_interval(empty, 100, 1),
        ratio_interval(empty, empty, 100, 1),
        ratio_interval(np.ones(3), np.zeros(3), 9, 1),
    ):
        assert all(math.isnan(value) for value in found.as_metrics().values())


def test_a_share_of_all_rows_is_not_certain():
    found = share(20, 20)
    assert found.value == 1
    assert 0.8 < found.low < 0.9
    assert found.high == 1


def test_resamples_without_a_value_are_left_out():
    found = percentile_interval(2.0, np.array([1.0, np.nan, 3.0]))
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 1.05, 2.95))
    assert math.isnan(percentile_interval(2.0, np.array([np.nan])).low)

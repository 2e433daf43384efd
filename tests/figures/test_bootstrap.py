import math

import numpy as np
import pytest
from scipy.stats import norm

from compactlm.figures.bootstrap import Resampler, ratio, share
from compactlm.figures.figure import Status

RESAMPLER = Resampler(4000, 1, confidence=0.9)


def test_resamples_are_those_of_a_plain_bootstrap():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(60, 2))
    clusters = [str(at // 2) for at in range(60)]
    sums = values.reshape(30, 2, 2).sum(axis=1)
    plain = np.array([sums[generator.integers(0, 30, 30)].sum(axis=0) for _ in range(4000)])
    ours = RESAMPLER.sums(values, clusters)
    assert ours.shape == (4000, 2)
    assert ours.mean(axis=0) == pytest.approx(values.sum(axis=0), abs=0.5)
    assert np.cov(ours.T) == pytest.approx(np.cov(plain.T), rel=0.1, abs=3)
    assert np.quantile(ours, [0.05, 0.95], axis=0) == pytest.approx(np.quantile(plain, [0.05, 0.95], axis=0), abs=1.0)
    assert np.array_equal(RESAMPLER.sums(sums), ours), "without clusters each row is its own cluster"


def test_sums_depend_on_the_seed_and_not_on_the_order_of_rows():
    values, clusters = np.arange(20.0).reshape(10, 2), [str(at) for at in range(10)]
    whole = RESAMPLER.sums(values, clusters)
    assert np.array_equal(whole, RESAMPLER.sums(values[::-1], clusters[::-1]))
    assert not np.array_equal(whole, Resampler(4000, 2).sums(values, clusters))


def test_many_units_are_drawn_in_parts_that_equal_one_draw():
    parts = list(Resampler(700, 3).draw(np.ones(5000)))  # at most two million counts at a time
    assert [len(part) for part in parts] == [400, 300]
    assert np.array_equal(np.concatenate(parts), np.random.default_rng(3).multinomial(5000, np.full(5000, 1 / 5000), size=700))


def test_figures_without_rows_are_not_judged():
    assert RESAMPLER.sums(np.zeros((0, 3)), []).shape == (4000, 3)
    empty = np.zeros(0)
    for found in (share(0, 0), RESAMPLER.mean(empty), RESAMPLER.ratio(empty, empty), RESAMPLER.ratio(np.ones(3), np.zeros(3))):
        assert (found.value, found.low, found.high, found.status) == (None, None, None, Status.NOT_JUDGED)
    assert np.array_equal(ratio([1.0, 1.0], [2.0, 0.0]), [0.5, np.nan], equal_nan=True)


def test_values_that_are_not_finite_give_no_interval():
    for value in (math.nan, math.inf):
        assert RESAMPLER.figure(value, np.ones(10)).value is None
    drawn = np.array([np.nan, *range(99)])
    assert RESAMPLER.figure(5.0, drawn).low == pytest.approx(4.9)
    assert Resampler(100, 1, 0.999).figure(5.0, drawn).low is None
    found = RESAMPLER.figure(1 / 3, np.full(5, 1 / 3))
    assert found.low == found.value == found.high


def test_the_interval_of_a_mean_is_the_normal_one_for_many_rows():
    values = np.random.default_rng(0).normal(2.0, 1.0, 2000)
    found = Resampler(2000, 5).mean(values, rows_needed=30)
    half = norm.ppf(0.975) * values.std() / math.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert (found.rows, found.rows_needed) == (2000, 30)


def test_the_interval_of_a_paired_ratio_is_narrower_than_that_of_a_share():
    below = (np.random.default_rng(1).random(500) < 0.6).astype(float)
    above = below.copy()
    above[np.flatnonzero(below)[:10]] = 0
    found, part = Resampler(500, 1).ratio(above, below), share(int(above.sum()), 500)
    assert found.value == pytest.approx(above.sum() / below.sum())
    assert found.low < found.value < found.high <= 1
    assert found.high - found.low < part.high - part.low


def test_a_share_of_1_has_an_interval():
    found = share(20, 20)
    assert found.value == found.high == 1
    assert 0.8 < found.low < 0.9

import numpy as np
import pytest

from compactlm.figures import bootstrap as module
from compactlm.figures.bootstrap import estimate, ratio, resampled_sums
from compactlm.params import Bootstrap

SETTINGS = Bootstrap(samples=4000, confidence=0.9)


def test_resamples_are_those_of_a_plain_bootstrap():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(60, 2))
    clusters = [str(at // 2) for at in range(60)]
    sums = values.reshape(30, 2, 2).sum(axis=1)
    plain = np.array([sums[generator.integers(0, 30, 30)].sum(axis=0) for _ in range(4000)])
    ours = resampled_sums(values, clusters, SETTINGS, 1)
    assert ours.shape == (4000, 2)
    assert ours.mean(axis=0) == pytest.approx(values.sum(axis=0), abs=0.5)
    assert np.cov(ours.T) == pytest.approx(np.cov(plain.T), rel=0.1, abs=3)
    assert np.quantile(ours, [0.05, 0.95], axis=0) == pytest.approx(np.quantile(plain, [0.05, 0.95], axis=0), abs=1.0)


def test_the_memory_taken_at_once_changes_nothing_but_the_draws_it_is_cut_into(monkeypatch):
    values, clusters = np.arange(20.0).reshape(10, 2), [str(at) for at in range(10)]
    whole = resampled_sums(values, clusters, SETTINGS, 3)
    assert np.array_equal(whole, resampled_sums(values[::-1], clusters[::-1], SETTINGS, 3))
    monkeypatch.setattr(module, "CELLS_AT_ONCE", 70)
    parts = resampled_sums(values, clusters, SETTINGS, 3)
    assert np.array_equal(whole, parts)


def test_no_rows():
    assert resampled_sums(np.zeros((0, 3)), [], SETTINGS, 1).shape == (4000, 3)


def test_an_interval_needs_numbers():
    assert estimate(np.nan, np.ones(10), 0.9) is None
    assert estimate(np.inf, np.ones(10), 0.9) is None
    drawn = np.array([np.nan, *range(99)])
    assert estimate(5.0, drawn, 0.9).low == pytest.approx(4.9)
    assert estimate(5.0, drawn, 0.999).metrics("x") == {"x": 5.0}
    assert estimate(1.0, np.full(5, 1.0), 0.9).metrics("x") == {"x": 1.0, "x_low": 1.0, "x_high": 1.0}


def test_a_ratio_over_nothing_is_no_number():
    found = ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0]))
    assert found[0] == 0.5
    assert np.isnan(found[1])

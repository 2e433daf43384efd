import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score

from compactlm.tasks.measures.ranking import average_precision, pearson, spearman

ROWS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=12)


def resamples(rows, seed):
    """Return weights: of each row once, and of 5 resamples."""
    drawn = np.random.default_rng(seed).multinomial(rows, [1 / rows] * rows, size=5)
    return np.vstack([np.ones(rows), drawn]).astype(float)


@given(ROWS, st.integers(0, 99))
def test_correlations_agree_with_scipy_in_every_resample(rows, seed):
    first, second = np.array(rows, float).T * 0.1 + 7
    weights = resamples(len(rows), seed)
    for function, oracle in ((pearson, stats.pearsonr), (spearman, stats.spearmanr)):
        for weight, value in zip(weights, function(first, second, weights), strict=True):
            x, y = (np.repeat(column, weight.astype(int)) for column in (first, second))
            if np.ptp(x) < 1e-9 or np.ptp(y) < 1e-9:
                assert math.isnan(value)
            else:
                assert value == pytest.approx(oracle(x, y).statistic, abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1, max_size=15), st.integers(0, 99))
def test_average_precision_agrees_with_scikit_learn_in_every_resample(rows, seed):
    positive, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], float)
    weights = resamples(len(rows), seed)
    for weight, value in zip(weights, average_precision(positive, scores, weights), strict=True):
        times = weight.astype(int)
        if not (positive & (times > 0)).any():
            assert math.isnan(value)
        else:
            with warnings.catch_warnings(action="ignore"):
                oracle = average_precision_score(np.repeat(positive, times), np.repeat(scores, times))
            assert value == pytest.approx(oracle, abs=1e-9)


def test_a_perfect_and_a_reversed_order():
    values, weights = np.array([1.0, 2, 3, 4]), np.ones((1, 4))
    assert spearman(values, values**3, weights)[0] == pytest.approx(1)
    assert spearman(values, -values, weights)[0] == pytest.approx(-1)
    assert pearson(values, 2 * values + 1e6, weights)[0] == pytest.approx(1)


def test_a_single_row_has_no_correlation():
    assert math.isnan(spearman(np.array([1.0]), np.array([2.0]), np.ones((1, 1)))[0])

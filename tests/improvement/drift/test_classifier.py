import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from compactlm.improvement.drift.classifier import area_interval, areas, held_out_weights


@pytest.fixture(scope="module")
def samples():
    """Vectors of two samples whose means differ a little, and which of them is the second."""
    generator = np.random.default_rng(3)
    new = np.arange(150) >= 90
    vectors = generator.normal(size=(150, 12)) + 2
    vectors[new] += 0.25
    return vectors, new


def test_held_out_predictions_are_those_of_ridge_regressions_on_the_other_folds(samples):
    vectors, new = samples
    targets = np.where(new, 1.0, -1.0)
    strength = np.trace(np.cov(vectors.T, bias=True)) * len(vectors) / vectors.shape[1]
    expected = np.empty(len(vectors))
    for own in np.array_split(np.random.default_rng(5).permutation(len(vectors)), 10):
        others = np.setdiff1d(np.arange(len(vectors)), own)
        expected[own] = Ridge(alpha=strength).fit(vectors[others], targets[others]).predict(vectors[own])
    assert held_out_weights(vectors, 5) @ targets == pytest.approx(expected, abs=1e-6)


def test_areas_are_those_of_scikit_learn_for_every_labeling(samples):
    vectors, new = samples
    weights = held_out_weights(vectors, 5)
    labelings = np.stack([new, ~new, np.random.default_rng(1).permutation(new)])
    expected = [roc_auc_score(one, weights @ np.where(one, 1.0, -1.0)) for one in labelings]
    assert areas(weights, labelings, at_once=2) == pytest.approx(expected)
    assert expected[0] > 0.65


def test_the_interval_of_an_area_holds_it_and_shrinks_with_more_rows():
    generator = np.random.default_rng(2)

    def drawn(rows):
        value, low, high = area_interval(generator.normal(size=rows), generator.normal(0.5, size=rows), 1)
        assert low < value < high
        return value, high - low

    (_, wide), (many, narrow) = drawn(60), drawn(960)
    assert wide / narrow == pytest.approx(4, rel=0.3)
    assert many == pytest.approx(0.638, abs=0.04)  # the normal distribution at 0.5 / sqrt(2)
    assert area_interval(np.ones(9), np.ones(9), 1) == (0.5, 0.5, 0.5)

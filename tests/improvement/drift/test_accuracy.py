import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from compactlm.improvement.drift.accuracy import estimate_accuracy, fit_calibration


def answers(rows, seed, sharpness=1.0, overconfident=1.0):
    """Confidences of answers, and whether they are right as often as a less confident model would be."""
    generator = np.random.default_rng(seed)
    logits = np.abs(generator.normal(0, 2 * sharpness, rows))
    return 1 / (1 + np.exp(-logits)), generator.uniform(size=rows) < 1 / (1 + np.exp(-logits / overconfident))


def test_the_calibration_is_a_logistic_regression():
    confidence, right = answers(2000, 1, overconfident=2.0)
    slopes, offsets = fit_calibration(confidence, right, np.ones((1, 2000)))
    logits = np.log(confidence / (1 - confidence))
    expected = LogisticRegression(C=1e9).fit(logits[:, None], right)
    assert slopes[0] == pytest.approx(expected.coef_[0, 0], abs=0.01)
    assert offsets[0] == pytest.approx(expected.intercept_[0], abs=0.02)


def test_the_estimate_is_near_the_accuracy_on_rows_without_labels():
    # The new rows are harder, and the model is twice as confident as it should be.
    inside = 0
    for seed in range(40):
        confidence, right = answers(400, seed, overconfident=2.0)
        new, _ = answers(300, 1000 + seed, sharpness=0.5, overconfident=2.0)
        found = estimate_accuracy(confidence, right, new, seed, resamples=200)
        expected = (1 / (1 + np.exp(-np.log(new / (1 - new)) / 2))).mean()
        inside += found.estimated.low <= expected <= found.estimated.high
        assert found.change.value == pytest.approx(found.estimated.value - found.reference.value)
        assert found.reference.value == right.mean()
        assert found.estimated.low < found.estimated.value < found.estimated.high
    assert inside >= 34


def test_a_model_without_errors_on_reference_rows_has_an_estimate():
    confidence, _ = answers(100, 1)
    found = estimate_accuracy(confidence, np.ones(100, dtype=bool), confidence, 0)
    assert found.reference.value == 1
    assert 0.8 < found.estimated.value <= 1

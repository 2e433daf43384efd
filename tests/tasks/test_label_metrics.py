import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, log_loss, matthews_corrcoef, roc_auc_score

from compactlm.tasks.label_metrics import METRICS, calibration_gaps, resampled_task_metrics, task_metrics


@st.composite
def samples(draw):
    """Draw labels, probabilities with ties, and the number of times each row occurs in a resample."""
    labels, rows = draw(st.integers(2, 4)), draw(st.integers(2, 25))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    expected = generator.integers(0, labels, rows)
    raw = generator.integers(1, 5, (rows, labels)).astype(float)
    return expected, raw / raw.sum(axis=1, keepdims=True), generator.integers(0, 4, rows)


def same(one, other):
    return (math.isnan(one) and math.isnan(other)) or one == pytest.approx(other, abs=1e-9)


@given(samples())
def test_single_and_resampled_figures_agree_on_all_rows(sample):
    expected, probabilities, _ = sample
    single = task_metrics(expected, probabilities, 10)
    many = resampled_task_metrics(expected, probabilities, np.ones((3, len(expected))), 10)
    assert tuple(single) == tuple(many) == METRICS
    for name in METRICS:
        assert all(same(value, single[name]) for value in many[name]), name


@given(samples())
def test_figures_of_a_resample_agree_with_scikit_learn(sample):
    expected, probabilities, counts = sample
    if not counts.sum():
        return
    rows = np.repeat(np.arange(len(expected)), counts)
    found = {name: value[0] for name, value in resampled_task_metrics(expected, probabilities, counts[None].astype(float), 7).items()}
    y, p = expected[rows], probabilities[rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert same(found["accuracy"], accuracy_score(y, p.argmax(axis=1)))
        assert same(found["macro_f1"], f1_score(y, p.argmax(axis=1), labels=np.unique(expected), average="macro", zero_division=0))
        assert same(found["matthews"], matthews_corrcoef(y, p.argmax(axis=1)))
        assert same(found["log_loss"], log_loss(y, p, labels=range(p.shape[1])))
        labels = [1] if p.shape[1] == 2 else np.unique(expected)
        present = [label for label in labels if 0 < (y == label).sum() < len(y)]
        if len(present) == len(labels) and len(np.unique(expected)) > 1:
            assert same(found["auroc"], np.mean([roc_auc_score(y == label, p[:, label]) for label in present]))
        else:
            assert math.isnan(found["auroc"])


def test_the_calibration_error_agrees_with_a_hand_calculation():
    # One of two rows at 0.9 is right, and both rows at 0.6 are right. Each half of the rows is off by 0.4.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    expected = np.array([0, 1, 0, 0])
    assert task_metrics(expected, probabilities, 10)["calibration_error"] == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)
    # In a single bin the errors cancel.
    assert task_metrics(expected, probabilities, 1)["calibration_error"] == pytest.approx(0.0)
    assert calibration_gaps(np.array([0]), np.array([[1.0, 0.0]]), 10)[0, 9] == 0


def test_auroc_of_a_single_label_has_no_value():
    probabilities = np.array([[0.2, 0.8], [0.6, 0.4]])
    assert math.isnan(task_metrics(np.array([1, 1]), probabilities, 5)["auroc"])


def test_the_log_loss_of_a_certain_wrong_label_is_finite():
    loss = task_metrics(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), 5)["log_loss"]
    assert 10 < loss < 40

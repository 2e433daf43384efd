import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from compactlm.tasks.measures.several_labels import METRICS, MINIMUM_POSITIVES, best_constant, best_thresholds, metrics

TABLES = st.integers(0, 10_000).map(np.random.default_rng)


def table(generator, rows=12, labels=3):
    return generator.random((rows, labels)) < 0.4, generator.integers(0, 8, (rows, labels)) / 8


@given(TABLES)
def test_metrics_agree_with_scikit_learn(generator):
    expected, scores = table(generator)
    found = metrics(expected, scores, np.ones((1, len(expected))))
    present = np.flatnonzero(expected.any(axis=0))
    if not len(present):
        assert all(math.isnan(found[name][0]) for name in ("mean_average_precision", "macro_f1"))
        return
    given_labels = scores >= 0.5
    with warnings.catch_warnings(action="ignore"):
        oracle = {
            "mean_average_precision": np.mean([average_precision_score(expected[:, label], scores[:, label]) for label in present]),
            "macro_f1": f1_score(expected[:, present], given_labels[:, present], average="macro", zero_division=0),
            "micro_f1": f1_score(expected, given_labels, average="micro", zero_division=0),
        }
    assert {name: found[name][0] for name in METRICS} == pytest.approx(oracle)


@given(TABLES)
def test_a_resample_is_the_rows_that_it_repeats(generator):
    expected, scores = table(generator)
    expected[0] = True
    weights = generator.multinomial(12, [1 / 12] * 12, size=4).astype(float)
    weights[:, 0] += 1  # so that every label occurs in every resample
    found = metrics(expected, scores, weights)
    for number, weight in enumerate(weights):
        rows = np.repeat(np.arange(12), weight.astype(int))
        alone = metrics(expected[rows], scores[rows], np.ones((1, len(rows))))
        assert {name: found[name][number] for name in METRICS} == pytest.approx({name: alone[name][0] for name in METRICS})


@given(TABLES, st.sampled_from(METRICS))
def test_no_constant_answer_is_better_than_the_best(generator, metric):
    expected, _ = table(generator)
    expected[0] = True
    weights = np.ones((1, 12))
    best = best_constant(expected, weights, metric)[0]
    for chosen in range(2**3):
        constant = np.tile([(chosen >> label) & 1 for label in range(3)], (12, 1)).astype(float)
        assert metrics(expected, constant, weights)[metric][0] <= best + 1e-9


def test_labels_without_rows_have_no_part():
    expected = np.array([[True, False], [False, False]])
    found = metrics(expected, np.array([[0.9, 0.9], [0.1, 0.1]]), np.ones((1, 2)))
    assert found["mean_average_precision"][0] == 1
    assert found["macro_f1"][0] == 1
    assert found["micro_f1"][0] == pytest.approx(2 / 3)
    assert math.isnan(best_constant(expected[:, 1:], np.ones((1, 2)), "macro_f1")[0])


@given(st.integers(0, 10_000))
def test_no_threshold_has_a_higher_f1(seed):
    generator = np.random.default_rng(seed)
    expected = generator.random((40, 1)) < 0.5
    logits = generator.integers(-4, 5, (40, 1)) + 0.0
    (threshold,) = best_thresholds(expected, logits)

    def score(at):
        return f1_score(expected[:, 0], logits[:, 0] >= at, zero_division=0)

    assert score(threshold) == pytest.approx(max(score(other) for other in np.arange(-5, 5, 0.5)))
    assert threshold == 0 or score(0.0) < score(threshold)


def test_few_rows_of_a_label_leave_its_threshold():
    expected = np.zeros((50, 2), dtype=bool)
    expected[: MINIMUM_POSITIVES - 1, 0] = True
    expected[:MINIMUM_POSITIVES, 1] = True
    logits = np.where(expected, -1.0, -3.0)
    assert best_thresholds(expected, logits).tolist() == [0.0, -2.0]

"""Spearman's correlation of pair similarities, and its interval over sentences."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from compactlm.evaluation.embeddings.agreement import correlation, spearman
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status


def draw(rows, width, seed):
    vectors = np.random.default_rng(seed).normal(size=(rows, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def of_pairs(vectors):
    first, second = np.triu_indices(len(vectors), k=1)
    return (vectors @ vectors.T)[first, second]


def test_the_value_is_that_of_scipy():
    teacher = draw(60, 8, 1)
    student = teacher[:, :4] / np.linalg.norm(teacher[:, :4], axis=1, keepdims=True)
    found = spearman(student, teacher, Resampler(200, 1))
    assert found.value == pytest.approx(spearmanr(of_pairs(student), of_pairs(teacher))[0], abs=1e-9)
    assert found.low < found.value < found.high
    assert found.rows == 60


def test_an_embedding_agrees_with_itself_and_not_with_one_point():
    vectors = draw(20, 4, 2)
    assert spearman(vectors, vectors, Resampler(100, 1)).value == pytest.approx(1)
    point = spearman(np.ones((20, 1), dtype=np.float32), vectors, Resampler(100, 1))
    assert point.status is Status.NOT_JUDGED


def test_the_influence_is_the_effect_of_one_entry_more():
    generator = np.random.default_rng(3)
    first = generator.normal(size=2000)
    second = first + generator.normal(size=2000)
    value, influence = correlation(first, second)
    assert influence.mean() == pytest.approx(0, abs=1e-9)
    for entry in range(0, 2000, 400):  # without the entry: the jackknife
        without = correlation(np.delete(first, entry), np.delete(second, entry))[0]
        assert (value - without) * 1999 == pytest.approx(influence[entry], abs=0.02)


def test_the_interval_is_about_as_wide_as_that_of_ranking_every_resample():
    teacher = draw(50, 6, 4)
    student = teacher[:, :3] / np.linalg.norm(teacher[:, :3], axis=1, keepdims=True)
    found = spearman(student, teacher, Resampler(1000, 1))
    generator, values = np.random.default_rng(5), []
    for _ in range(300):
        chosen = generator.integers(50, size=50)
        first, second = np.triu_indices(50, k=1)
        different = chosen[first] != chosen[second]
        pairs = [(one[chosen] @ one[chosen].T)[first, second][different] for one in (student, teacher)]
        values.append(spearmanr(*pairs)[0])
    low, high = np.quantile(values, [0.025, 0.975])
    assert found.high - found.low == pytest.approx(high - low, rel=0.25)

"""The benchmark of changes of text, on made-up samples."""

import numpy as np
import pytest

from benchmarks import bench_drift
from benchmarks.bench_drift import UNCHANGED, is_reported, measure_estimates, measure_reported, mixed
from benchmarks.loop.material import SCORED, Sample, joined
from compactlm.figures.bootstrap import Resampler
from compactlm.improvement.describing import Described


def sample(rows, seed, shift=0.0, overconfident=0.0):
    """Rows whose model is right as often as its confidence says, less `overconfident`."""
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.6, 1, rows)
    expected = (generator.uniform(size=rows) < confidence - overconfident).astype(np.int64)
    probabilities = np.stack([1 - confidence, confidence], axis=1)
    words = np.stack([np.full(rows, 10), np.zeros(rows), generator.integers(0, 3, rows)], axis=1).astype(np.int64)
    described = Described(generator.normal(shift, 1, size=(rows, 8)), words, probabilities, np.ones(rows, dtype=np.int64))
    return Sample([f"{seed} {at}" for at in range(rows)], described, expected)


@pytest.fixture
def sources():
    return {UNCHANGED: sample(400, 2), **{name: sample(300, 3 + at, 1.0, 0.2) for at, name in enumerate(SCORED.values())}}


def test_samples_are_drawn_and_mixed(sources):
    task, other = sources[UNCHANGED], sources["tweets"]
    assert task.take([3, 1]).texts == [task.texts[3], task.texts[1]]
    assert len(joined(task, other)) == 700
    found = mixed(task, other, 0.25, 40, np.random.default_rng(1))
    assert sum(text in set(other.texts) for text in found.texts) == 10
    assert len(set(found.texts)) == 40
    assert task.accuracy == task.expected.mean()


def test_changes_are_reported_and_equal_samples_are_not(sources, monkeypatch):
    monkeypatch.setattr(bench_drift, "SIZES", (40,))
    monkeypatch.setattr(bench_drift, "PERMUTATIONS", 199)
    assert is_reported(sample(200, 1), sources["tweets"].take(range(50)), 0)
    found = measure_reported(sample(300, 1), sources, 150, 5, 1)
    assert found[UNCHANGED]["40"].rows == 20
    assert found[UNCHANGED]["40"].value < 0.2
    assert found["tweets"]["40"].value == 1
    assert found["1 product review in 10"]["40"].value < 1


def test_estimates_are_compared_with_the_accuracy(sources):
    found = measure_estimates(sample(2000, 1), {**sources, UNCHANGED: sample(4000, 2)}, 600, 20, Resampler(200, 1))
    assert found[UNCHANGED]["inside"].value > 0.7
    assert found[UNCHANGED]["error"].value < 0.06
    assert found["tweets"]["estimated"].value - found["tweets"]["measured"].value == pytest.approx(0.2, abs=0.08)
    assert found["tweets"]["inside"].value < 0.2

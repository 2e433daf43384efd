"""The benchmark of picked rows, on made-up samples."""

import numpy as np
import pytest

from benchmarks.bench_picks import RANDOM, WAYS, Setting, curve, labels_needed, measure, picked, tables
from benchmarks.loop.material import Sample
from benchmarks.shared import harness
from compactlm.figures.bootstrap import Resampler
from compactlm.improvement.describing import Described


def sample(rows, seed):
    """Rows with random unit vectors, whose first component tells the label."""
    vectors = np.random.default_rng(seed).normal(size=(rows, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    described = Described(vectors, np.ones((rows, 3), dtype=np.int64), np.zeros((rows, 2)), np.zeros(rows, dtype=np.int64))
    return Sample([f"{seed} {at}" for at in range(rows)], described, (vectors[:, 0] > 0.1).astype(np.int64))


def test_a_curve_rises_and_depends_only_on_its_seed():
    setting = Setting(sample(300, 1), sample(200, 2), None, (10, 40, 160))
    found = curve(setting, WAYS["margin"], 3)
    assert found[-1] > max(found[0], 0.9)
    assert found == curve(setting, WAYS["margin"], 3)
    # All ways start with the same rows.
    assert curve(setting, WAYS[RANDOM], 3)[0] == found[0]


def test_rows_are_held_out_for_each_seed_if_a_number_is_given():
    setting = Setting(sample(300, 1), 100, sample(50, 4), (10, 40))
    (first, test), (other, _) = setting.parts(1), setting.parts(2)
    assert len(first) == 200
    assert len(test) == 100
    assert not set(first.texts) & set(test.texts)
    assert first.texts != other.texts
    assert len(curve(setting, WAYS["diversity"], 1)) == 2


def test_picked_rows_are_new_ones():
    rows = sample(60, 1)
    chosen = list(range(20))
    found = picked(None, rows, chosen, 15, WAYS["the default of pick"], 1)
    assert len(set(found)) == 15
    assert not set(found) & set(chosen)


def test_labels_are_interpolated_and_an_accuracy_that_is_not_reached_has_none():
    accuracies = np.tile([0.6, 0.7, 0.8], (10, 1))
    found = labels_needed(accuracies, (100, 200, 400), 0.75, Resampler(100, 1))
    assert found.value == pytest.approx(200 * 2**0.5)
    assert labels_needed(accuracies, (100, 200, 400), 0.5, Resampler(100, 1)).value == 100
    assert labels_needed(accuracies, (100, 200, 400), 0.81, Resampler(100, 1)) is None


def test_all_ways_are_measured_and_shown():
    measured = measure(Setting(sample(120, 1), sample(80, 2), None, (10, 20, 40)), 3, Resampler(100, 1))
    assert set(measured["accuracy"]) == set(WAYS)
    assert set(measured["difference"]) == set(WAYS) - {RANDOM}
    assert measured["difference"]["margin"]["10"].value == 0
    assert all(RANDOM in by_way for by_way in measured["needed"].values())
    sections = tables(harness.new_console(100), "the task", measured)
    assert "labels that are needed" in sections[2]

import itertools

import numpy as np

from compactlm.improvement.picking.centres import farthest_first


def unit(rows, width, seed):
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def radius(vectors, centres):
    return np.sqrt(np.maximum(2 - 2 * (vectors @ centres.T).max(axis=1), 0)).max()


def test_the_radius_is_at_most_twice_the_best():
    for seed in range(8):
        vectors = unit(12, 3, seed)
        chosen = farthest_first(vectors, 3, vectors[:0])
        best = min(radius(vectors, vectors[list(some)]) for some in itertools.combinations(range(12), 3))
        assert best <= radius(vectors, vectors[chosen]) <= 2 * best + 1e-6


def test_each_row_is_the_farthest_from_all_before_it():
    vectors, covered = unit(50, 5, 1), unit(6, 5, 2)
    chosen = farthest_first(vectors, 10, covered)
    assert len(set(chosen)) == 10
    for at, row in enumerate(chosen):
        before = np.concatenate([covered, vectors[chosen[:at]]])
        assert row == (vectors @ before.T).max(axis=1).argmin()


def test_copies_are_chosen_last_and_never_twice():
    vectors = unit(3, 4, 3)[[0, 0, 1, 1, 2, 2]]
    assert sorted(farthest_first(vectors, 9, vectors[:0])) == list(range(6))
    assert {at // 2 for at in farthest_first(vectors, 3, vectors[:0])} == {0, 1, 2}
    assert farthest_first(vectors, 0, vectors) == farthest_first(vectors[:0], 3, vectors) == []

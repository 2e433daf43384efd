import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.corpus.duplicates import clusters
from compactlm.corpus.duplicates.clusters import band_hashes, choose_bands, cluster

BANDS, PLACES = 4, 2


def clustered(signatures: np.ndarray, threshold: float) -> list[int]:
    hashes = band_hashes(signatures, BANDS, PLACES)
    return cluster(len(signatures), BANDS, hashes.__getitem__, signatures.__getitem__, threshold).tolist()


def by_hand(signatures: np.ndarray, threshold: float) -> list[int]:
    """Join each pair that agrees in a whole band and in enough places, directly or through other rows."""
    labels = list(range(len(signatures)))
    for left, right in itertools.combinations(range(len(signatures)), 2):
        same = signatures[left] == signatures[right]
        if same.reshape(BANDS, PLACES).all(axis=1).any() and same.mean() >= threshold:
            low, high = sorted((labels[left], labels[right]))
            labels = [low if label == high else label for label in labels]
    return labels


SIGNATURES = st.lists(st.lists(st.integers(0, 1), min_size=BANDS * PLACES, max_size=BANDS * PLACES), max_size=14).map(
    lambda rows: np.array(rows, dtype=np.uint32).reshape(len(rows), BANDS * PLACES)
)


@settings(max_examples=60)
@given(SIGNATURES, st.sampled_from([0.25, 0.5, 0.75, 0.9, 1.0]), st.sampled_from([1, 3, 30]), st.sampled_from([1, 7, 1_000]))
def test_clusters_equal_those_of_comparing_all_pairs(signatures: np.ndarray, threshold: float, listed: int, pairs: int) -> None:
    with mock.patch.multiple(clusters, LARGEST_LISTED=listed, PAIRS=pairs):
        assert clustered(signatures, threshold) == by_hand(signatures, threshold)


def test_different_rows_are_not_joined_and_no_rows_have_no_clusters() -> None:
    assert clustered(np.arange(80, dtype=np.uint32).reshape(10, 8), 0.5) == list(range(10))
    assert clustered(np.zeros((0, 8), dtype=np.uint32), 0.5) == []


def test_all_rows_of_a_bucket_that_is_too_large_to_compare_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    signatures = np.array([[1, 1, row, row, row, row, row, row] for row in range(10, 16)], dtype=np.uint32)
    monkeypatch.setattr(clusters, "LARGEST_LISTED", 5)
    assert clustered(signatures, 0.9) == [0, 1, 2, 3, 4, 5]
    monkeypatch.setattr(clusters, "LARGEST_COMPARED", 5)
    assert clustered(signatures, 0.9) == [0] * 6


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_bands_are_the_widest_that_find_pairs_above_the_threshold(threshold: float) -> None:
    def found(similarity: float, places: int) -> float:
        return 1 - (1 - similarity**places) ** (128 // places)

    bands, places = choose_bands(threshold, 128)
    assert bands == 128 // places
    assert found(threshold, places) >= 0.98 > found(threshold, places + 1)
    assert found((1 + threshold) / 2, places) > 0.999
    assert found(threshold / 2, places) < 0.5
    assert choose_bands(0.01, 16) == (16, 1)

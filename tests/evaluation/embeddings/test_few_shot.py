"""Few-shot classification: the draws of rows, and accuracies that can be computed by hand."""

import numpy as np
import pytest

from compactlm.evaluation.embeddings.few_shot import accuracy, classify_few, kept, make_few_shot
from compactlm.figures.bootstrap import Resampler
from tests.fixtures.builders import make_row

RESAMPLER = Resampler(400, 1)


def rows(count, start=0, **changes):
    labels = ("bad", "good")
    return [make_row(start + at, f"{labels[at % 2]} film {start + at}", "movie_reviews", labels[at % 2], **changes) for at in range(count)]


def test_draws_are_nested_balanced_and_differ():
    found = make_few_shot(rows(40), rows(4, 100), "sentiment", [2, 8, 64], draws=3, seed=1)
    assert set(found.draws) == {2, 8}  # 64 rows per label do not exist
    for small, large in zip(found.draws[2], found.draws[8], strict=True):
        assert set(small) < set(large)
        assert sorted(found.labels[large]) == ["bad"] * 8 + ["good"] * 8
    assert len({tuple(draw) for draw in found.draws[8]}) == 3
    assert found.test_texts == tuple(f"{('bad', 'good')[at % 2]} film {100 + at}" for at in range(4))


def test_the_same_seed_draws_the_same_rows_whatever_the_order():
    again = make_few_shot(rows(40)[::-1], rows(4), "sentiment", [8], draws=2, seed=1)
    found = make_few_shot(rows(40), rows(4), "sentiment", [8], draws=2, seed=1)
    assert [{found.texts[at] for at in draw} for draw in found.draws[8]] == [{again.texts[at] for at in draw} for draw in again.draws[8]]
    other = make_few_shot(rows(40), rows(4), "sentiment", [8], draws=2, seed=2)
    assert {found.texts[at] for at in found.draws[8][0]} != {other.texts[at] for at in other.draws[8][0]}


def test_copies_and_rows_of_other_tasks_are_not_drawn():
    train = [*rows(4), *rows(40, 100, parent="x", augmenter="synonym")]
    assert len(make_few_shot(train, rows(4), "sentiment", [2], draws=5, seed=1).texts) == 4
    assert make_few_shot(train, rows(4), "other", [2], draws=5, seed=1).draws == {}


def test_an_embedding_of_the_label_is_always_right_and_one_of_nothing_is_right_for_one_label():
    found = make_few_shot(rows(40), rows(10, 100), "sentiment", [4], draws=3, seed=1)

    def embed(texts):
        return np.array([[1.0, 0.0] if text.startswith("good") else [0.0, 1.0] for text in texts], dtype=np.float32)

    assert classify_few(embed, found)[4].tolist() == [[1] * 10] * 3
    same = classify_few(lambda texts: np.ones((len(texts), 2), dtype=np.float32), found)[4]
    assert same.mean() == 0.5


def test_accuracy_has_an_interval_over_draws_and_rows():
    right = np.array([[1, 1, 1, 0], [1, 0, 1, 0]], dtype=np.float64)
    found = accuracy(right, RESAMPLER)
    assert found.value == 5 / 8
    assert found.low < 5 / 8 < found.high
    assert found.rows == 4
    only_rows = accuracy(np.repeat(right[:1], 2, axis=0), RESAMPLER)
    assert only_rows.value == 3 / 4


def test_the_same_answers_keep_all_of_the_accuracy():
    right = np.array([[1, 1, 1, 0], [1, 0, 1, 0]], dtype=np.float64)
    same = kept(right, right, RESAMPLER)
    assert (same.value, same.low, same.high) == (1, 1, 1)
    half = kept(right * np.array([1, 1, 0, 1]), right, RESAMPLER)
    assert half.value == pytest.approx(3 / 5)
    assert kept(right, np.zeros_like(right), RESAMPLER).value is None

import pytest

from benchmarks.bench_few_shot import baseline, draw, embedded
from compactlm.evaluation.embeddings.tfidf import fit_tfidf

ROWS = [(f"text {number} is {'warm' if number % 3 else 'cold'}", "ab"[number % 3 == 0]) for number in range(90)]


def test_a_draw_has_equally_many_rows_of_each_label_and_depends_only_on_its_seed():
    found = draw(ROWS, 16, 1)
    assert sorted(label for _, label in found) == ["a"] * 16 + ["b"] * 16
    assert len(set(found)) == 32
    assert found == draw(ROWS, 16, 1) != draw(ROWS, 16, 2)


def test_the_baseline_learns_labels_from_words():
    assert baseline(draw(ROWS, 16, 0), ROWS) == pytest.approx(1.0)


def test_logistic_regression_learns_labels_from_vectors():
    assert embedded(fit_tfidf([text for text, _ in ROWS]), draw(ROWS, 16, 0), ROWS) == pytest.approx(1.0)

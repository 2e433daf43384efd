import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from compactlm.figures.figure import Figure
from compactlm.params import DiversityFigures
from compactlm.text.diversity import distinct_ngrams, mean_type_token_ratio, measure_diversity, self_bleu, vocabulary_growth, words_of
from tests.fixtures.builders import make_row

SETTINGS = DiversityFigures(words=50, window=10, bleu_texts=5, bleu_words=20)


def test_figures_of_a_small_corpus() -> None:
    assert words_of("Don't stop: CAF\u00c9 n\u00b0 9, o\u2019clock_x") == ["don't", "stop", "caf\u00e9", "n", "9", "o\u2019clock", "x"]
    rows = [make_row(0, "one two one", label="good"), make_row(1, "two one", label="bad"), make_row(2, "...", label="good")]
    figures = measure_diversity(rows, SETTINGS, 3)
    values = {name: found["value"] for name, found in figures.items() if isinstance(found, dict) and "value" in found}
    assert figures["rows"] == 3
    assert (figures["characters"], figures["words"]) == (21, 5)
    assert figures["lengths"] == {"0": 1, "2": 1, "4": 1}
    assert {label: found["value"] for label, found in figures["labels"].items()} == {"bad": 0.333333, "good": 0.666667}
    assert figures["vocabulary"] == {"5": 2}
    assert (values["distinct_1"], values["distinct_3"]) == (0.4, 1.0)
    assert "type_token_ratio" not in figures  # no window of ten words


TEXTS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=9), max_size=14)


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(texts: list[list[str]], rng: random.Random) -> None:
    rows = [make_row(number, " ".join(words)) for number, words in enumerate(texts)]
    figures = measure_diversity(rows, SETTINGS, 3)
    rng.shuffle(rows)
    assert measure_diversity(rows, SETTINGS, 3) == figures


def test_the_seed_draws_the_texts_of_self_bleu() -> None:
    rng = random.Random(1)
    rows = [make_row(number, " ".join(rng.choices([f"w{word}" for word in range(500)], k=12))) for number in range(300)]
    assert measure_diversity(rows, SETTINGS, 3)["self_bleu"] != measure_diversity(rows, SETTINGS, 4)["self_bleu"]


def test_vocabulary_type_token_ratio_and_distinct_ngrams() -> None:
    words = [f"w{number % 1500}" for number in range(5_000)]
    assert vocabulary_growth(words) == [(1_000, 1_000), (2_000, 1_500), (4_000, 1_500), (5_000, 1_500)]
    assert mean_type_token_ratio(["a", "b", "a", "a", "c"], 2) == 0.75
    assert mean_type_token_ratio(["a"], 2) is None
    assert distinct_ngrams([["a", "b", "a", "b"], ["b", "a"]], 2, 100) == 0.5
    assert distinct_ngrams([["a", "b", "a", "b"], ["b", "a"]], 2, 2) == 1.0
    assert distinct_ngrams([["a"]], 2, 2) is None


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=4, max_size=9), min_size=2, max_size=6))
def test_self_bleu_equals_that_of_nltk(texts: list[list[str]]) -> None:
    smooth = SmoothingFunction(epsilon=0.1).method1
    scores = [sentence_bleu(texts[:number] + texts[number + 1 :], text, smoothing_function=smooth) for number, text in enumerate(texts)]
    assert self_bleu(texts) == pytest.approx(sum(scores) / len(scores), abs=1e-9)


def test_self_bleu_is_1_for_copies_and_0_for_texts_without_a_common_word() -> None:
    assert self_bleu([["a", "b", "c", "d", "e"]] * 3) == pytest.approx(1)
    assert self_bleu([[f"{letter}{number}" for number in range(9)] for letter in "abc"]) == pytest.approx(0, abs=0.03)
    assert self_bleu([["short"], ["short"]]) == pytest.approx(1)
    assert self_bleu([["alone"], []]) is None


def test_figures_are_judged_from_30_rows() -> None:
    for rows, judged in ((29, False), (30, True)):
        figures = measure_diversity([make_row(number, "one", label="good") for number in range(rows)], SETTINGS, 3)
        assert Figure.from_json(figures["distinct_1"]).judged == judged

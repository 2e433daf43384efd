"""Decisions on triples: right, wrong or a tie, by contestants whose answers are known."""

import numpy as np
import pytest

from compactlm.evaluation.embeddings.context import context, decide
from compactlm.evaluation.embeddings.tfidf import fit_tfidf
from compactlm.figures.bootstrap import Resampler
from compactlm.text.triples import Triple

RESAMPLER = Resampler(200, 1)
TRIPLES = [Triple("a", "near", "far", "x"), Triple("a", "far", "near", "y"), Triple("a", "near", "near too", "z")]
PLACES = {"a": [1, 0], "near": [0.8, 0.6], "near too": [0.8, 0.6], "far": [0, 1]}


def embed(texts):
    return np.array([PLACES[text] for text in texts], dtype=np.float32)


def test_the_nearer_text_decides_and_a_tie_is_half():
    assert decide(embed, TRIPLES).tolist() == [1, 0, 0.5]


def test_kinds_and_all_of_them():
    found = context(embed, {"first": TRIPLES[:1], "second": TRIPLES}, RESAMPLER)
    assert {kind: figure.value for kind, figure in found.items()} == {"first": 1, "second": 0.5, "all": 0.625}
    assert found["all"].rows == 4
    assert context(embed, {}, RESAMPLER) == {}


def test_tfidf_ties_for_texts_of_the_same_words_and_prefers_common_words():
    tfidf = fit_tfidf(["the dog saw the cat", "a cat", "the film was good", "it was bad"])
    same_words = Triple("the dog saw a cat", "a cat the dog saw", "a dog saw the cat", "x")
    more_in_common = Triple("it was good", "it was good film", "it was bad", "y")
    assert decide(tfidf, [same_words, more_in_common]).tolist() == [0.5, 1]


def test_all_triples_of_a_filling_are_drawn_together():
    together = [Triple("a", "near", "far", "x")] * 20 + [Triple("a", "far", "near", "y")] * 20
    alone = [Triple("a", *("near", "far") if at % 2 else ("far", "near"), str(at)) for at in range(40)]
    wide, narrow = (context(embed, {"k": triples}, RESAMPLER)["k"] for triples in (together, alone))
    assert wide.value == narrow.value == 0.5
    assert wide.high - wide.low == 1
    assert narrow.high - narrow.low == pytest.approx(0.3, abs=0.1)

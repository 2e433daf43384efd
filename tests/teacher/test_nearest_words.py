import numpy as np
import pytest
from transformers import BertForMaskedLM, BertModel

from compactlm.teacher import nearest_words
from compactlm.teacher.nearest_words import NearestWords, nearest
from tests.fixtures.builders import noise


def test_neighbours_are_those_of_the_centred_cosine_with_the_same_ending():
    words = [f"{stem}{ending}" for stem in "abcdefghijklmnopqrstuvwxyz" for ending in ("ok", "oked", "oks")]
    vectors = noise(len(words), 3, seed=1).double().numpy() + 5
    found = dict(zip(words, nearest(words, vectors), strict=True))
    centred = vectors - vectors.mean(axis=0)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    for place, word in enumerate(words):
        same = [at for at, other in enumerate(words) if at != place and other[1:] == word[1:]]
        expected = sorted((-round(float(units[at] @ units[place]), 3), at, words[at]) for at in same)[: nearest_words.TOP]
        expected = [(-cosine, other) for cosine, _, other in expected if -cosine >= nearest_words.LEAST_COSINE]
        assert [other for other, _ in found[word]] == [other for _, other in expected]
        assert [cosine for _, cosine in found[word]] == pytest.approx([cosine for cosine, _ in expected], abs=1e-3)


def test_a_head_does_not_matter_and_rare_and_frequent_words_have_no_neighbours(tiny_bert, tiny_tokenizer, tiny_texts, monkeypatch):
    monkeypatch.setattr(nearest_words, "FREQUENT", 3)
    monkeypatch.setattr(nearest_words, "LEAST_COSINE", -1.0)
    texts = [*tiny_texts, "a singular word"]
    with_head, body = (NearestWords(form.from_pretrained(tiny_bert), tiny_tokenizer, texts, 256) for form in (BertForMaskedLM, BertModel))
    assert with_head.candidates("film") == body.candidates("film")
    assert "film" not in [word for word, _ in body.candidates("film")]
    assert body.candidates("film")
    assert body.candidates("the") == body.candidates("singular") == body.candidates("zzz") == []
    again = NearestWords(BertModel.from_pretrained(tiny_bert), tiny_tokenizer, texts[::-1], 999)
    assert again.candidates("film") == body.candidates("film")


def test_a_corpus_without_words_has_no_neighbours(tiny_bert, tiny_tokenizer):
    assert NearestWords(BertModel.from_pretrained(tiny_bert), tiny_tokenizer, ["7 8"], 256).candidates("film") == []

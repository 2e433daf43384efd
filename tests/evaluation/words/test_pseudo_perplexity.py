import math
from collections import Counter

import numpy as np
import pytest
import torch
from transformers import BertForMaskedLM

from compactlm.bert.words_to_mask import MaskedWord
from compactlm.evaluation.words.pseudo_perplexity import draw_words, mask_tokens, pseudo_perplexity, surprises
from compactlm.figures.bootstrap import Resampler


def test_the_draw_depends_on_seed_and_row_and_not_on_order(tiny_tokenizer, student, texts):
    drawn = draw_words(texts, [tiny_tokenizer, student], 12, 3, 32, 1)
    assert drawn == draw_words(dict(reversed(texts.items())), [tiny_tokenizer, student], 12, 3, 32, 1)
    assert drawn != draw_words(texts, [tiny_tokenizer, student], 12, 3, 32, 2)
    counts = Counter(word.row for word in drawn)
    assert len(counts) == 12
    assert set(counts.values()) == {3}
    assert len({(word.row, word.position) for word in drawn}) == len(drawn)


def test_words_that_one_model_cannot_spell_are_left_out(tiny_tokenizer, student, texts, gone):
    words = {word.words[word.position] for word in draw_words(texts, [tiny_tokenizer, student], 144, 50, 64, 1)}
    assert words & gone  # spelled in fragments, and therefore counted
    unknown = {"a": "the café § was ∆ warm"}
    assert {word.words[word.position] for word in draw_words(unknown, [tiny_tokenizer], 1, 50, 64, 1)} == {"the", "cafe", "was", "warm"}
    # A word that needs more than half of the window is left out.
    assert {word.words[word.position] for word in draw_words({"a": "warm zzzzzzzz"}, [tiny_tokenizer], 1, 9, 18, 1)} == {"warm"}


def test_later_tokens_of_a_word_are_masked_and_earlier_ones_are_visible(student):
    item = MaskedWord(("the", "dog", "was", "good"), 1)
    tokens = [student.convert_ids_to_tokens(one.sequence) for one in mask_tokens(item, student, 32)]
    rest = ["was", "g", "##o", "##o", "##d", "[SEP]"]
    assert tokens == [
        ["[CLS]", "the", "[MASK]", "[MASK]", "[MASK]", *rest],
        ["[CLS]", "the", "d", "[MASK]", "[MASK]", *rest],
        ["[CLS]", "the", "d", "##o", "[MASK]", *rest],
    ]
    targets = [(one.position, student.convert_ids_to_tokens(one.target)) for one in mask_tokens(item, student, 32)]
    assert targets == [(2, "d"), (3, "##o"), (4, "##g")]


@pytest.mark.parametrize("position", [0, 20, 39])
def test_long_text_is_cut_around_the_word(student, position):
    words = ["was"] * 40
    words[position] = "dog"
    for one in mask_tokens(MaskedWord(tuple(words), position), student, 16):
        assert len(one.sequence) == 16
        assert student.convert_ids_to_tokens(one.sequence[one.position]) == "[MASK]"


def test_the_surprise_of_a_word_is_the_sum_of_its_tokens(tiny_bert, student, texts):
    model = BertForMaskedLM.from_pretrained(tiny_bert).eval()
    model.resize_token_embeddings(len(student))
    items = draw_words(texts, [student], 20, 3, 32, 1)
    found = surprises(model, student, items, 32, 256, "words")
    assert len(found) == len(items)
    for item, surprise in zip(items, found, strict=True):
        total = 0.0
        for one in mask_tokens(item, student, 32):
            with torch.inference_mode():
                total -= float(model(torch.tensor([one.sequence])).logits[0, one.position].log_softmax(0)[one.target])
        assert surprise == pytest.approx(total, abs=1e-3)
    assert max(len(mask_tokens(item, student, 32)) for item in items) > 1


def test_equal_surprise_has_an_interval_of_width_0():
    found = pseudo_perplexity(np.full(50, math.log(6)), Resampler(100, 1))
    assert (found.value, found.low, found.high) == pytest.approx((6, 6, 6))


def test_pseudo_perplexity_is_the_exponential_of_the_mean_surprise():
    surprise = np.array([1.0, 2.0, 6.0] * 20)
    found = pseudo_perplexity(surprise, Resampler(300, 1))
    assert found.value == pytest.approx(math.exp(3))
    assert found.low < found.value < found.high
    assert pseudo_perplexity(np.zeros(0), Resampler(100, 1)).value is None

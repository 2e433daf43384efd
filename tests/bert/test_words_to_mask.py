import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertForMaskedLM, BertTokenizer

from compactlm.bert.words_to_mask import MaskedWord, choose_words, mask_one, mask_words, top1


def word_of(item):
    return item.words[item.position]


def test_chosen_words_are_whole_words_of_every_vocabulary(tiny_tokenizer, student, texts, gone):
    items = choose_words(texts, [tiny_tokenizer, student], 1000, 1)
    assert len(items) == len(texts)
    words = {word_of(item) for item in items}
    assert len(words) > 10
    assert not words & gone
    for word in words:
        assert word.isalpha()
        for tokenizer in (tiny_tokenizer, student):
            assert tokenizer.tokenize(word) == [word]
    assert {word_of(item) for item in choose_words(texts, [tiny_tokenizer], 1000, 1)} & gone


def test_words_are_normalised_and_rows_without_a_word_are_left_out(tiny_tokenizer):
    [item] = choose_words({"a": "1999 !", "b": "zebra", "c": "", "d": "THE Film"}, [tiny_tokenizer], 5, 1)
    assert item.words == ("the", "film")


def test_the_choice_does_not_depend_on_the_order_of_rows_or_tokenizers(tiny_tokenizer, student, texts):
    chosen = choose_words(texts, [tiny_tokenizer, student], 20, 1)
    assert chosen == choose_words(dict(reversed(texts.items())), [tiny_tokenizer, student], 20, 1)
    assert chosen == choose_words(texts, [student, tiny_tokenizer], 20, 1)
    assert chosen == choose_words(texts, [tiny_tokenizer, student], 40, 1)[:20]
    assert chosen != choose_words(texts, [tiny_tokenizer, student], 20, 2)


@given(words=st.lists(st.sampled_from("the film zebra was , 7 gooder [ mask ]".split()), min_size=1, max_size=60), data=st.data())
def test_long_text_is_cut_around_its_mask(tiny_tokenizer, words, data):
    position = data.draw(st.integers(0, len(words) - 1))
    length = data.draw(st.integers(8, 30))
    [masked] = mask_words([MaskedWord(tuple(words), position)], tiny_tokenizer, length)
    tokens = tiny_tokenizer.convert_ids_to_tokens(masked.sequence)
    assert len(tokens) <= length
    assert (tokens[0], tokens[-1]) == ("[CLS]", "[SEP]")
    assert tokens.count("[MASK]") == 1
    at = tokens.index("[MASK]")
    assert masked.position == at
    before = tiny_tokenizer.tokenize(" ".join(words[:position]))
    after = tiny_tokenizer.tokenize(" ".join(words[position + 1 :]))
    left, right = tokens[1:at], tokens[at + 1 : -1]
    assert left == before[len(before) - len(left) :]
    assert right == after[: len(right)]
    # Text is cut only as far as necessary.
    assert len(tokens) == min(length, len(before) + len(after) + 3)


@pytest.mark.parametrize("batch_tokens", [30, 4096])
def test_top1_is_the_share_of_words_with_the_highest_logit(tiny_bert, tiny_tokenizer, texts, batch_tokens):
    model = BertForMaskedLM.from_pretrained(tiny_bert).train()
    items = choose_words(texts, [tiny_tokenizer], 60, 1)
    with torch.no_grad():  # makes some predictions correct
        model.cls.predictions.bias[tiny_tokenizer.convert_tokens_to_ids(word_of(items[0]))] = 3
    share = top1(model, tiny_tokenizer, items, 32, batch_tokens, "masked words")
    assert not model.training
    right = 0
    for item in items:
        [masked] = mask_words([item], tiny_tokenizer, 32)
        with torch.inference_mode():
            logits = model(torch.tensor([masked.sequence])).logits[0, masked.position]
        right += int(logits.argmax()) == tiny_tokenizer.convert_tokens_to_ids(word_of(item))
    assert share == right / len(items)
    assert 0 < share < 1
    assert math.isnan(top1(model, tiny_tokenizer, [], 32, batch_tokens, "masked words"))


def test_words_that_a_cased_and_an_uncased_tokenizer_spell_differently_are_not_chosen(tiny_tokens, student):
    cased = BertTokenizer(vocab={token: index for index, token in enumerate([*tiny_tokens, "The"])}, do_lower_case=False)
    for item in choose_words({"a": "The cat was warm", "b": "The old house"}, [cased, student], 5, 1):
        assert word_of(item) != "The"


def test_the_key_decides_which_inner_token_is_masked():
    sequence = [4, 10, 11, 12, 13, 5]
    drawn = {mask_one(sequence, 6, str(key)).position for key in range(100)}
    assert drawn == {1, 2, 3, 4}
    item = mask_one(sequence, 6, "17/a")
    assert item == mask_one(sequence, 6, "17/a")
    assert item.target == sequence[item.position]
    assert item.sequence == [*sequence[: item.position], 6, *sequence[item.position + 1 :]]
    assert mask_one([4, 5], 6, "x").position == 1

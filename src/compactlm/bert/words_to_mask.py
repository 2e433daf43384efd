"""Choose words to mask for a measurement. Models with different vocabularies get the same words.

A word is eligible only if it is a single token in every model's vocabulary. Each model reads the row in its own tokens, with [MASK] for the
word. It is right if its first choice is that word.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from transformers import BertForMaskedLM

from compactlm.bert.mask_scores import MaskedToken, score
from compactlm.draws import draw_generator, draw_items


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedWord:
    """A row's words, in the tokenizer's normal form, the position of the masked one, and the row's id."""

    words: tuple[str, ...]
    position: int
    row: str = ""


def choose_words(texts: dict[str, str], tokenizers: Sequence[Any], count: int, seed: int) -> list[MaskedWord]:
    """Choose one word from each of at most `count` rows.

    Args:
        texts: row ids and texts. Rows and words are drawn by (seed, id), so the order of the rows does not matter.
        tokenizers: a word is eligible if it consists of letters and is a single token for each of these.
        count: the largest number of rows.
        seed: the seed of the draw.

    Returns:
        The words, in the order of the draw; fewer than `count` if there are too few rows.
    """
    vocabularies = [set(tokenizer.get_vocab()) for tokenizer in tokenizers]
    normalizer, splitter = tokenizers[0].backend_tokenizer.normalizer, tokenizers[0].backend_tokenizer.pre_tokenizer
    chosen: list[MaskedWord] = []
    for row in draw_items(texts, len(texts), "masked", seed, key=str):
        if len(chosen) == count:
            break
        words = tuple(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(texts[row])))
        eligible = [at for at, word in enumerate(words) if word.isalpha() and all(word in vocabulary for vocabulary in vocabularies)]
        if eligible:
            chosen.append(MaskedWord(words, draw_generator("masked word", seed, row).choice(eligible), row))
    return chosen


def mask_words(items: Sequence[MaskedWord], tokenizer: Any, maximum_length: int) -> list[MaskedToken]:
    """Return the rows in a model's tokens, with [MASK] for the word, truncated around it to `maximum_length` tokens."""
    return [_mask_word(item, tokenizer, maximum_length) for item in items]


def _mask_word(item: MaskedWord, tokenizer: Any, maximum_length: int) -> MaskedToken:
    before, after = (
        list(tokenizer(" ".join(words), add_special_tokens=False, verbose=False)["input_ids"])
        for words in (item.words[: item.position], item.words[item.position + 1 :])
    )
    room = maximum_length - 3
    left = min(len(before), max(room // 2, room - len(after)))
    right = min(len(after), room - left)
    window = [*before[len(before) - left :], tokenizer.mask_token_id, *after[:right]]
    sequence = [tokenizer.cls_token_id, *window, tokenizer.sep_token_id]
    return MaskedToken(sequence, 1 + left, tokenizer.convert_tokens_to_ids(item.words[item.position]))


def mask_one(sequence: Sequence[int], mask: int, key: str) -> MaskedToken:
    """Mask one token of a sequence, drawn by `key`. The first token, [CLS], and the last, [SEP], are never masked.

    In a sequence of only these two the last token is masked.
    """
    position = draw_generator(key).randrange(1, max(len(sequence) - 1, 2))
    return MaskedToken([*sequence[:position], mask, *sequence[position + 1 :]], position, sequence[position])


def top1(
    model: BertForMaskedLM, tokenizer: Any, items: Sequence[MaskedWord], maximum_length: int, batch_tokens: int, description: str
) -> float:
    """Return the share of masked words that the model predicts as its first choice, 0 to 1; nan without words."""
    found = score(model, mask_words(items, tokenizer, maximum_length), tokenizer.pad_token_id, batch_tokens, description)
    return float(found.hits(1).mean()) if items else float("nan")

"""Masked language models of different vocabularies on equal terms: the same masked words in the same rows.

A word takes part only where it is a single token of every model's vocabulary. Each model then reads the row by its own
segmentation, with [MASK] for the word, and is right when its first choice is that word.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Sequence
from typing import Any

from transformers import BertForMaskedLM

from compactlm.bert.masked_scores import MaskedToken, score


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedWord:
    """A row's words, in the tokenizer's normal form, the position of the one that is masked, and the row's id."""

    words: tuple[str, ...]
    position: int
    row: str = ""


def choose_words(texts: dict[str, str], tokenizers: Sequence[Any], count: int, seed: int) -> list[MaskedWord]:
    """Choose one word from each of at most `count` rows.

    Args:
        texts: row ids and texts; rows and words are drawn by (seed, id), so the order does not matter.
        tokenizers: a word is eligible when it is one token for each of these, and made of letters.
        count: the greatest number of rows.
        seed: of the draw.

    Returns:
        The words, in the order of the draw; fewer than `count` where rows are too few.
    """
    vocabularies = [set(tokenizer.get_vocab()) for tokenizer in tokenizers]
    normalizer, splitter = tokenizers[0].backend_tokenizer.normalizer, tokenizers[0].backend_tokenizer.pre_tokenizer
    chosen: list[MaskedWord] = []
    for row in sorted(texts, key=lambda name: hashlib.blake2b(f"{seed}/{name}".encode()).digest()):
        if len(chosen) == count:
            break
        words = tuple(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(texts[row])))
        eligible = [at for at, word in enumerate(words) if word.isalpha() and all(word in vocabulary for vocabulary in vocabularies)]
        if eligible:
            chosen.append(MaskedWord(words, random.Random(f"{seed}/{row}").choice(eligible), row))
    return chosen


def encode_masked(item: MaskedWord, tokenizer: Any, maximum_length: int) -> list[int]:
    """Return the row's token ids with [MASK] for the word, cut around it to `maximum_length` tokens."""
    before = _tokens(tokenizer, item.words[: item.position])
    after = _tokens(tokenizer, item.words[item.position + 1 :])
    room = maximum_length - 3
    left = min(len(before), max(room // 2, room - len(after)))
    right = min(len(after), room - left)
    window = [*before[len(before) - left :], tokenizer.mask_token_id, *after[:right]]
    return [tokenizer.cls_token_id, *window, tokenizer.sep_token_id]


def _tokens(tokenizer: Any, words: Sequence[str]) -> list[int]:
    return list(tokenizer(" ".join(words), add_special_tokens=False, verbose=False)["input_ids"])


def mask_words(items: Sequence[MaskedWord], tokenizer: Any, maximum_length: int) -> list[MaskedToken]:
    """Return the rows as one model reads them, with the token that is asked for."""
    masked = []
    for item in items:
        sequence = encode_masked(item, tokenizer, maximum_length)
        # A text may hold "[MASK]" itself; only the one that was put there counts.
        position = _mask_position(item, tokenizer, sequence)
        masked.append(MaskedToken(sequence, position, tokenizer.convert_tokens_to_ids(item.words[item.position])))
    return masked


def top1(
    model: BertForMaskedLM, tokenizer: Any, items: Sequence[MaskedWord], maximum_length: int, batch_tokens: int, description: str
) -> float:
    """Return the share of the masked words that are the model's first choice, 0 to 1; nan without words."""
    found = score(model, mask_words(items, tokenizer, maximum_length), tokenizer.pad_token_id, batch_tokens, description)
    return float(found.hits(1).mean()) if items else float("nan")


def _mask_position(item: MaskedWord, tokenizer: Any, sequence: Sequence[int]) -> int:
    earlier = len(_tokens(tokenizer, item.words[: item.position]))
    candidates = [at for at, token in enumerate(sequence) if token == tokenizer.mask_token_id]
    return min(candidates, key=lambda at: abs(at - 1 - earlier)) if len(candidates) > 1 else candidates[0]

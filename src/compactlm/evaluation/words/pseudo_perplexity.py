"""Pseudo-perplexity per word: how unlikely each word is for a masked language model, given the rest of its text.

Pseudo-perplexity (Salazar et al. 2020, https://arxiv.org/abs/1910.14659) masks one token after another and takes the exponential of the
mean surprise, the negative log probability. A smaller vocabulary has more tokens per word, so models with different vocabularies are
compared per word: the surprises of a word's tokens are added, and the mean is over the same words for every model. A model that sees the
other tokens of a word could guess each token from them. The word's tokens to the right of the scored token are therefore masked as well
(Kauf and Ivanova 2023, https://arxiv.org/abs/2305.10588). The sum is then the surprise of the whole word, however it is split.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import BertForMaskedLM

from compactlm.bert.mask_scores import MaskedToken, score
from compactlm.bert.words_to_mask import MaskedWord
from compactlm.draws import draw_generator, draw_items
from compactlm.figures.bootstrap import Array, Resampler
from compactlm.figures.figure import MINIMUM_ROWS, Figure


def draw_words(
    texts: Mapping[str, str], tokenizers: Sequence[Any], rows: int, words: int, maximum_length: int, seed: int
) -> list[MaskedWord]:
    """Draw words of a limited number of rows.

    Args:
        texts: row ids and texts. Rows and words are drawn by (seed, id), so their order does not matter.
        tokenizers: a word is eligible if all of them split it into known tokens that fit into half a window.
        rows: the maximum number of rows.
        words: the maximum number of words per row. Punctuation marks count as words.
        maximum_length: the number of tokens of the shortest window.
        seed: the seed of the draw.
    """
    normalizer, splitter = tokenizers[0].backend_tokenizer.normalizer, tokenizers[0].backend_tokenizer.pre_tokenizer
    drawn: list[MaskedWord] = []
    spelled_by_all = functools.cache(lambda word: all(_spells(tokenizer, word, maximum_length) for tokenizer in tokenizers))
    for row in draw_items(texts, rows, "perplexity", seed, key=str):
        spelled = tuple(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(texts[row])))
        generator = draw_generator("perplexity words", seed, row)
        positions = generator.sample(range(len(spelled)), len(spelled))
        eligible = [at for at in positions if spelled_by_all(spelled[at])]
        drawn.extend(MaskedWord(spelled, at, row) for at in sorted(eligible[:words]))
    return drawn


def _tokens(tokenizer: Any, words: Sequence[str]) -> list[int]:
    return list(tokenizer(" ".join(words), add_special_tokens=False, verbose=False)["input_ids"])


def _spells(tokenizer: Any, word: str, maximum_length: int) -> bool:
    tokens = _tokens(tokenizer, [word])
    return 0 < len(tokens) <= (maximum_length - 3) // 2 and tokenizer.unk_token_id not in tokens


def mask_tokens(item: MaskedWord, tokenizer: Any, maximum_length: int) -> list[MaskedToken]:
    """Return a sequence for each token of the word. In it, this token and the word's later tokens are masked.

    The text is truncated around the word to `maximum_length` tokens. If both sides are too long, each gets half of the room.
    """
    word = _tokens(tokenizer, [item.words[item.position]])
    before = _tokens(tokenizer, item.words[: item.position])
    after = _tokens(tokenizer, item.words[item.position + 1 :])
    room = maximum_length - 2 - len(word)
    left = min(len(before), max(room // 2, room - len(after)))
    right = min(len(after), room - left)
    start = [tokenizer.cls_token_id, *before[len(before) - left :]]
    end = [*after[:right], tokenizer.sep_token_id]
    return [
        MaskedToken([*start, *word[:at], *[tokenizer.mask_token_id] * (len(word) - at), *end], len(start) + at, token)
        for at, token in enumerate(word)
    ]


def surprises(
    model: BertForMaskedLM, tokenizer: Any, items: Sequence[MaskedWord], maximum_length: int, batch_tokens: int, description: str
) -> Array:
    """Return the negative log probability of each word in nats, float64 [words]."""
    masked = [mask_tokens(item, tokenizer, maximum_length) for item in items]
    found = score(model, [token for tokens in masked for token in tokens], tokenizer.pad_token_id, batch_tokens, description)
    word_of = np.repeat(np.arange(len(items)), [len(tokens) for tokens in masked])
    surprise = np.zeros(len(items))
    np.subtract.at(surprise, word_of, found.log_probabilities)
    return surprise


def pseudo_perplexity(surprise: Array, resampler: Resampler) -> Figure:
    """Return the exponential of the mean surprise, with its interval over words. Without words, the figure has no value."""
    mean = resampler.mean(surprise, rows_needed=MINIMUM_ROWS)
    bounds = (None if bound is None else float(np.exp(bound)) for bound in (mean.value, mean.low, mean.high))
    return Figure.measured(*bounds, rows=mean.rows, rows_needed=mean.rows_needed)

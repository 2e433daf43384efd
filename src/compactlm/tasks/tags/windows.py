"""Words as sequences of token ids. The first token of a word stands for the word.

A text that a model cannot read as a whole becomes several windows that overlap. Each word is answered in one window, that in which more
context surrounds it. So every word has exactly one answer, whatever the segmentation and the length of the text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from compactlm.tasks.base import Segmenter


@dataclasses.dataclass(frozen=True, slots=True)
class WordWindow:
    """A sequence of tokens with the words that it answers.

    Attributes:
        input_ids: token ids with [CLS] and [SEP].
        words: the words that are answered here, by their numbers in the text.
        positions: where in `input_ids` the first token of each of these words is.
    """

    input_ids: list[int]
    words: range
    positions: list[int]


def word_tokens(segmenter: Segmenter, texts: Sequence[Sequence[str]]) -> list[list[list[int]]]:
    """Return the token ids of each word of each text. Each word is read by itself.

    A word without a token, such as a zero-width character, becomes [UNK], so that every word has a first token.
    """
    distinct = list(dict.fromkeys(word for words in texts for word in words))
    tokens = {word: ids or [segmenter.unknown] for word, ids in zip(distinct, segmenter.pieces(distinct), strict=True)}
    return [[tokens[word] for word in words] for words in texts]


def word_windows(tokens: Sequence[Sequence[int]], segmenter: Segmenter, maximum_length: int, overlap: int) -> list[WordWindow]:
    """Return the windows of one text, at least one.

    Args:
        tokens: the token ids of each word, at least one a word. A word longer than a window is cut.
        segmenter: the tokenizer, for the ids of special tokens.
        maximum_length: the most tokens of a window, with [CLS] and [SEP]; at least 3.
        overlap: the most tokens that a window shares with the one before.
    """
    inner = maximum_length - 2
    ends = np.cumsum([0, *(min(len(word), inner) for word in tokens)])
    bounds = _bounds(ends, inner, overlap)
    found = []
    for number, (first, last) in enumerate(bounds):
        answered = range(
            _middle(ends, first, bounds[number - 1][1]) if number else 0,
            _middle(ends, bounds[number + 1][0], last) if number + 1 < len(bounds) else len(tokens),
        )
        ids = [segmenter.cls, *(token for word in tokens[first:last] for token in word[:inner]), segmenter.sep]
        found.append(WordWindow(ids, answered, [int(ends[word] - ends[first]) + 1 for word in answered]))
    return found


def _bounds(ends: np.ndarray, inner: int, overlap: int) -> list[tuple[int, int]]:
    """Return the first word of each window and the word after its last. `ends` are the tokens before each word, and in all."""
    words, first, found = len(ends) - 1, 0, []
    while True:
        last = int(np.searchsorted(ends, ends[first] + inner, side="right")) - 1
        found.append((first, last))
        if last == words:
            return found
        # The next window has room for at least one word more.
        shared = min(overlap, inner - int(ends[last + 1] - ends[last]), inner // 2)
        first = int(np.searchsorted(ends, ends[last] - shared, side="left"))


def _middle(ends: np.ndarray, first: int, last: int) -> int:
    """Return the word at which the tokens of the words from `first` to before `last` are half over."""
    return int(np.searchsorted(ends[first : last + 1], (ends[first] + ends[last]) / 2, side="left")) + first

"""Baselines for masked words, counted in the train split: the most frequent word, and n-grams with both neighbours.

The frequency baseline gives each word its share of the train words. The n-gram model reads the word before and the word after the mask.
It interpolates three levels by the method of Witten and Bell (1991, https://doi.org/10.1109/18.87000):

    P(w | l, r) the counts of l w r, backed off to Q Q(w | l, r) proportional to P(w | l) P(w | r) / P(w), with the counts of l w and of w r
    backed off to P(w) P(w) the counts of w plus one; one additional word represents all words that train lacks
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compactlm.bert.words_to_mask import MaskedWord
from compactlm.figures.bootstrap import Array

EDGE = 0  # the id of the neighbour of a text's first and last word, and of words that train lacks

Ids = npt.NDArray[np.int64]


def split_words(tokenizer: Any, texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the words of each text, in the same form as `MaskedWord`."""
    normalizer, splitter = tokenizer.backend_tokenizer.normalizer, tokenizer.backend_tokenizer.pre_tokenizer
    for text in texts:
        yield tuple(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))


@dataclasses.dataclass(frozen=True)
class Baseline:
    """The predictions of a baseline for masked words.

    Attributes:
        right: 1.0 if the first choice is the right word, else 0.0 [words].
        surprise: the negative log probability of the right word, in nats [words].
    """

    right: Array
    surprise: Array


class NeighbourCounts:
    """The words of the train split with their neighbours. `texts` holds the words of each text; there must be at least one word."""

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        ids: dict[str, int] = {}
        flat = [EDGE]
        for words in texts:
            flat.extend(ids.setdefault(word, len(ids) + 1) for word in words)
            flat.append(EDGE)
        # Alphabetical ids, so that ties do not depend on the order of rows.
        self.ids = {word: place for place, word in enumerate(sorted(ids), start=1)}
        renumbered = np.zeros(len(ids) + 1, dtype=np.int64)
        renumbered[list(ids.values())] = [self.ids[word] for word in ids]
        found = renumbered[np.array(flat)]
        inner = np.flatnonzero(found != EDGE)
        self.left, self.word, self.right = found[inner - 1], found[inner], found[inner + 1]
        counts = np.bincount(self.word, minlength=len(ids) + 1)
        self.unigram = (counts + 1) / (counts.sum() + len(counts))  # the place of EDGE is that of unknown words
        self.most_frequent = int(counts.argmax())
        self._by_left, self._by_right = _Places(self.left), _Places(self.right)

    def by_frequency(self, items: Sequence[MaskedWord]) -> Baseline:
        """Predict the most frequent word everywhere."""
        expected = np.array([self._id(item, item.position) for item in items], dtype=np.int64)
        return Baseline((expected == self.most_frequent).astype(np.float64), -np.log(self.unigram[expected]))

    def by_neighbours(self, items: Sequence[MaskedWord]) -> Baseline:
        """Predict each word by both neighbours."""
        right, surprise = np.zeros(len(items)), np.zeros(len(items))
        for row, item in enumerate(items):
            expected = self._id(item, item.position)
            found = self.distribution(self._id(item, item.position - 1), self._id(item, item.position + 1))
            right[row] = expected != EDGE and found[1:].argmax() + 1 == expected
            surprise[row] = -np.log(found[expected])
        return Baseline(right, surprise)

    def distribution(self, left: int, right: int) -> Array:
        """Return the probability of each word between two given words, float64 [words]. The first entry is for unknown words."""
        after, before = self._by_left.of(left), self._by_right.of(right)
        both = _smoothed(self.word[after], self.unigram) * _smoothed(self.word[before], self.unigram)
        both /= self.unigram
        between = after[self.right[after] == right] if len(after) < len(before) else before[self.left[before] == left]
        return _smoothed(self.word[between], both / both.sum())

    def _id(self, item: MaskedWord, position: int) -> int:
        return self.ids.get(item.words[position], EDGE) if 0 <= position < len(item.words) else EDGE


class _Places:
    """The positions of each neighbour among the train words."""

    def __init__(self, neighbours: Ids) -> None:
        self.order = np.argsort(neighbours, kind="stable")
        self.ends = np.cumsum(np.bincount(neighbours))

    def of(self, neighbour: int) -> Ids:
        if neighbour >= len(self.ends):
            return self.order[:0]
        return self.order[self.ends[neighbour - 1] if neighbour else 0 : self.ends[neighbour]]


def _smoothed(words: Ids, lower: Array) -> Array:
    """Return the distribution of the counts, interpolated with the distribution of the level below."""
    if not len(words):
        return lower
    kinds, counts = np.unique(words, return_counts=True)
    smoothed = len(kinds) * lower
    smoothed[kinds] += counts
    smoothed /= len(words) + len(kinds)
    return smoothed

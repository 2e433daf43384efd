"""nlpaug behind a face of ours: augmenters that rewrite words, each row from a seed of its own.

All augmenters are nlpaug's `WordAugmenter`s and answer `augment(text or list of texts)`. What the pipeline calls is
`rewrite(texts, seeds)`, whose result for a row depends on the row and its seed alone. nlpaug draws from the global
generators of `random` and `numpy.random`, so these are seeded for each row and put back afterwards; its own tokeniser
breaks "It's" and "U.S.A.", so it is given ours; and its dictionary of misspellings comes in the order of a set, which
differs from process to process, so it is sorted.
"""

from __future__ import annotations

import contextlib
import functools
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from nlpaug.augmenter.char import KeyboardAug
from nlpaug.augmenter.word import RandomWordAug, SpellingAug, TfIdfAug
from nlpaug.model.word_dict import Spelling
from nlpaug.model.word_stats import TfIdf

from compactlm.corpus.augment.reserved import NOTHING, Reserved

WORD_OR_REST = re.compile(r"\w+(?:['\u2019\-]\w+)*|\W")
MISSPELLING = re.compile(r"[A-Za-z]+(?:['\u2019\-][A-Za-z]+)*")


class Rewriter(Protocol):
    """An augmenter whose result for a text depends on the text and its seed alone."""

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return one text for each of `texts`, the same one where nothing could be changed."""
        ...


def count_words(share: float, words: int) -> int:
    """Return how many of a text's words to change: `share` of them, rounded, but at least one."""
    return max(1, round(share * words))


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of `random` and `numpy.random`, and put both back as they were at the end."""
    ours, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002 (nlpaug draws from the legacy generator)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)  # noqa: NPY002


def split_words(text: str) -> list[str]:
    """Split at white space; punctuation stays with its word."""
    return text.split()


def join_words(words: Sequence[str]) -> str:
    """Undo `split_words`, white space folded."""
    return " ".join(words)


def split_everything(text: str) -> list[str]:
    """Split into words and single other characters; joined without a space they are the text again."""
    return WORD_OR_REST.findall(text)


class _SeededRewriter:
    """`rewrite` by an nlpaug augmenter that knows nothing of rows; `words_a_change` words change with each of its changes.

    `bounds` names the augmenter's attributes for the least and the greatest number of changes.
    """

    def __init__(
        self,
        augmenter: Any,
        share: float,
        words_a_change: int = 1,
        bounds: tuple[str, str] = ("aug_min", "aug_max"),
        reserved: Reserved = NOTHING,
        reach: int = 0,
    ) -> None:
        """Take an augmenter; neither reserved words are changed nor words as near to one as `reach`."""
        self.augmenter, self.share, self.words_a_change, self.bounds = augmenter, share, words_a_change, bounds
        self.reserved = reserved
        open_to_change = augmenter.pre_skip_aug

        def pre_skip_aug(tokens: Sequence[str], tuple_idx: int | None = None) -> list[int]:
            kept = {near for place in reserved.places(tokens) for near in range(place - reach, place + reach + 1)}
            return [place for place in open_to_change(tokens, tuple_idx) if place not in kept]

        augmenter.pre_skip_aug = pre_skip_aug  # nlpaug's hook for words to leave alone

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        return [self._rewrite_one(text, seed) for text, seed in zip(texts, seeds, strict=True)]

    def _rewrite_one(self, text: str, seed: int) -> str:
        # Equal bounds fix the number of changes: nlpaug's own rule counts punctuation and spaces as words, and stops at 10.
        changes = count_words(self.share / self.words_a_change, len(text.split()))
        for bound in self.bounds:
            setattr(self.augmenter, bound, changes)
        with seeded(seed):
            rewritten: list[str] = self.augmenter.augment(text)
        return rewritten[0] if rewritten else text


class _SeededMistakes(_SeededRewriter):
    """A `_SeededRewriter` of mistakes in writing; one that makes a reserved word (can: cant, be: he) is taken back."""

    def _rewrite_one(self, text: str, seed: int) -> str:
        text = text.strip()  # as nlpaug does
        pairs = zip(split_everything(text), split_everything(super()._rewrite_one(text, seed)), strict=True)
        return "".join(old if new != old and self.reserved.is_listed(new) else new for old, new in pairs)


class MisspellingAug(SpellingAug):
    """nlpaug's SpellingAug with its dictionary read one way, from a word to its misspellings, and in a fixed order.

    A misspelling that is itself a word of the dictionary (good: god, gold) is left out, since it changes what is said.
    """

    def get_model(self, force_reload: bool) -> Spelling:  # noqa: ARG002
        """Read the dictionary that comes with nlpaug."""
        return _read_misspellings(self.dict_path)


@functools.cache
def _read_misspellings(path: str) -> Spelling:
    model = Spelling(path, include_reverse=False)
    words = set(model.dict)
    model.dict = {
        word: sorted({new for new in misspellings if MISSPELLING.fullmatch(new) and new.lower() not in words and new != word})
        for word, misspellings in model.dict.items()
    }
    return model


def make_swap(share: float, reserved: Reserved = NOTHING) -> Rewriter:
    """Swap neighbouring words; each swap moves two of them."""
    augmenter = RandomWordAug(action="swap", tokenizer=split_words, reverse_tokenizer=join_words)
    return _SeededRewriter(augmenter, share, words_a_change=2, reserved=reserved, reach=1)


def make_delete(share: float, reserved: Reserved = NOTHING) -> Rewriter:
    """Delete words at random; a text of one word stays as it is."""
    augmenter = RandomWordAug(action="delete", tokenizer=split_words, reverse_tokenizer=join_words)
    return _SeededRewriter(augmenter, share, reserved=reserved)


def make_spelling(share: float, reserved: Reserved = NOTHING) -> Rewriter:
    """Misspell words as people do, by the dictionary that comes with nlpaug."""
    return _SeededMistakes(MisspellingAug(tokenizer=split_everything, reverse_tokenizer="".join), share, reserved=reserved)


class _WordStatistics(TfIdf):
    """nlpaug's TfIdf, which fails where all words are as frequent as each other."""

    @classmethod
    def _normalize(cls, data: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        weights = data.max() - data
        return weights / weights.sum() if weights.any() else np.full(len(data), 1 / len(data))


class CorpusTfIdfAug(TfIdfAug):
    """nlpaug's TfIdfAug (Xie et al. 2020, https://arxiv.org/abs/1904.12848) with the statistics of texts in memory.

    Words with a low TF-IDF, which say little, are replaced by others that are drawn by theirs; reserved words are not put in.
    """

    def __init__(self, texts: Sequence[str], reserved: Reserved) -> None:
        self._texts, self._reserved = texts, reserved
        super().__init__(action="substitute", tokenizer=split_everything, reverse_tokenizer="".join)

    def get_model(self, force_reload: bool = False) -> TfIdf:  # noqa: ARG002
        """Count the words of the texts."""
        model = _WordStatistics()
        words = ([word for word in split_everything(text) if word.isalpha() and not self._reserved.is_listed(word)] for text in self._texts)
        listed = [found for found in words if found]
        if listed:
            model.train(listed)
        return model


def make_tfidf(share: float, texts: Sequence[str], reserved: Reserved = NOTHING) -> Rewriter:
    """Replace words that say little by words of the same corpus."""
    return _SeededRewriter(CorpusTfIdfAug(texts, reserved), share, reserved=reserved)


def make_keyboard(share: float, reserved: Reserved = NOTHING) -> Rewriter:
    """Mistype words: in each one letter becomes a neighbour on the keyboard; capitals and words of one letter are left alone."""
    augmenter = KeyboardAug(
        aug_char_min=1,
        aug_char_max=1,
        min_char=2,
        include_special_char=False,
        include_numeric=False,
        include_upper_case=False,
        tokenizer=split_everything,
        reverse_tokenizer="".join,
    )
    return _SeededMistakes(augmenter, share, bounds=("aug_word_min", "aug_word_max"), reserved=reserved)

"""nlpaug augmenters of words with a seed for each text.

Each augmenter has a method `rewrite(texts, seeds)`. Its result for a text depends only on the text and its seed. nlpaug draws from the
global generators of `random` and `numpy.random`, so these are seeded for each text and restored afterwards. The tokenizer of nlpaug
breaks "It's" and "U.S.A.", so the augmenters use another one.
"""

from __future__ import annotations

import contextlib
import functools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from nlpaug.augmenter.char import KeyboardAug
from nlpaug.augmenter.word import RandomWordAug, SpellingAug, TfIdfAug
from nlpaug.model.word_dict import Spelling
from nlpaug.model.word_stats import TfIdf

from compactlm.corpus.augment.reserved import NOTHING, Reserved

WORD_OR_REST = re.compile(r"\w+(?:['\u2019\-]\w+)*|\W")
MISSPELLING = re.compile(r"[A-Za-z]+(?:['\u2019\-][A-Za-z]+)*")

Rewrite = Callable[[Sequence[str], Sequence[int]], list[str]]  # returns a text for each text and its seed


def words_to_change(share: float, words: int) -> int:
    """Return how many words of a text to change: the rounded share, but at least one."""
    return max(1, round(share * words))


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of `random` and `numpy.random` within the block, and restore their states at its end."""
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
    """Join words with single spaces."""
    return " ".join(words)


def split_everything(text: str) -> list[str]:
    """Split into words and single other characters. Joining the parts without spaces restores the text."""
    return WORD_OR_REST.findall(text)


_BY_SPACES: dict[str, Any] = {"tokenizer": split_words, "reverse_tokenizer": join_words}
_BY_CHARACTERS: dict[str, Any] = {"tokenizer": split_everything, "reverse_tokenizer": "".join}


class SeededAug:
    """A mixin that adds `rewrite` and reserved words to an augmenter of nlpaug. Some augmenters draw from the words of `texts`.

    An augmenter changes a share of a text's words, at least one word.
    """

    options: ClassVar[dict[str, Any]] = {}  # arguments of nlpaug's constructor
    bounds: ClassVar[tuple[str, str]] = ("aug_min", "aug_max")  # nlpaug's attributes for the number of changes
    words_a_change: ClassVar[int] = 1
    reach: ClassVar[int] = 0  # words within this distance of a reserved word do not change either
    undoes: ClassVar[bool] = False  # whether a change that makes a reserved word (can: cant, be: he) is undone

    def __init__(self, share: float, reserved: Reserved = NOTHING, texts: Sequence[str] = ()) -> None:
        self.share, self.reserved, self.texts = share, reserved, texts
        super().__init__(**self.options)

    def pre_skip_aug(self, tokens: Sequence[str], tuple_idx: int | None = None) -> list[int]:
        """Return the indices of the words that may change; nlpaug's hook."""
        kept = {near for place in self.reserved.places(tokens) for near in range(place - self.reach, place + self.reach + 1)}
        return [place for place in super().pre_skip_aug(tokens, tuple_idx) if place not in kept]  # type: ignore[misc]

    def rewrite(self, texts: Sequence[str], seeds: Sequence[int]) -> list[str]:
        """Return a new text for each text, or the same text if nothing can change."""
        return [self._rewrite_one(text, seed) for text, seed in zip(texts, seeds, strict=True)]

    def _rewrite_one(self, text: str, seed: int) -> str:
        # Equal bounds fix the number of changes. nlpaug would count punctuation and spaces as words, and stop at 10.
        changes = words_to_change(self.share / self.words_a_change, len(text.split()))
        for bound in self.bounds:
            setattr(self, bound, changes)
        with seeded(seed):
            found: list[str] = self.augment(text)  # type: ignore[attr-defined]
        rewritten = found[0] if found else text
        if not self.undoes:
            return rewritten
        pairs = zip(split_everything(text.strip()), split_everything(rewritten.strip()), strict=True)
        return "".join(old if new != old and self.reserved.is_listed(new) else new for old, new in pairs)


class SwapAug(SeededAug, RandomWordAug):
    """Swaps neighbouring words; each change moves two words."""

    options: ClassVar[dict[str, Any]] = {"action": "swap", **_BY_SPACES}
    words_a_change, reach = 2, 1


class DeleteAug(SeededAug, RandomWordAug):
    """Deletes words; a text of one word stays as it is."""

    options: ClassVar[dict[str, Any]] = {"action": "delete", **_BY_SPACES}


class MisspellingAug(SeededAug, SpellingAug):
    """Misspells words as people do, by nlpaug's dictionary of common misspellings.

    Misspellings that are themselves words of the dictionary (good: god, gold) are left out, because they change the meaning.
    """

    options: ClassVar[dict[str, Any]] = _BY_CHARACTERS
    undoes = True

    def get_model(self, force_reload: bool) -> Spelling:  # noqa: ARG002
        """Read the dictionary; nlpaug's hook."""
        return _read_misspellings(self.dict_path)


@functools.cache
def _read_misspellings(path: str) -> Spelling:
    model = Spelling(path, include_reverse=False)
    words = set(model.dict)
    # nlpaug keeps misspellings in the order of a set, which differs between processes, so they are sorted here.
    model.dict = {
        word: sorted({new for new in misspellings if MISSPELLING.fullmatch(new) and new.lower() not in words and new != word})
        for word, misspellings in model.dict.items()
    }
    return model


class MistypingAug(SeededAug, KeyboardAug):
    """Mistypes words: one letter becomes its neighbour on the keyboard. Capitals and words of one letter do not change."""

    options: ClassVar[dict[str, Any]] = {
        "aug_char_min": 1,
        "aug_char_max": 1,
        "min_char": 2,
        **dict.fromkeys(("include_special_char", "include_numeric", "include_upper_case"), False),
        **_BY_CHARACTERS,
    }
    bounds = ("aug_word_min", "aug_word_max")
    undoes = True


class _WordStatistics(TfIdf):
    """nlpaug's TfIdf, which fails if all words are equally frequent."""

    @classmethod
    def _normalize(cls, data: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        weights = data.max() - data
        return weights / weights.sum() if weights.any() else np.full(len(data), 1 / len(data))


class CorpusTfIdfAug(SeededAug, TfIdfAug):
    """Replaces words that have a low TF-IDF by words of the corpus (Xie et al. 2020, https://arxiv.org/abs/1904.12848).

    Words with a low TF-IDF carry little meaning. The new words are drawn by their TF-IDF; reserved words are never drawn.
    """

    options: ClassVar[dict[str, Any]] = {"action": "substitute", **_BY_CHARACTERS}

    def get_model(self, force_reload: bool = False) -> TfIdf:  # noqa: ARG002
        """Count the words of the corpus; nlpaug's hook."""
        model = _WordStatistics()
        words = ([word for word in split_everything(text) if word.isalpha() and not self.reserved.is_listed(word)] for text in self.texts)
        listed = [found for found in words if found]
        if listed:
            model.train(listed)
        return model


# The order is that of the draw: append new augmenters at the end, so that the draws of the others stay the same.
WORD_AUGMENTERS: dict[str, type[SeededAug]] = {
    "swap": SwapAug,
    "delete": DeleteAug,
    "spelling": MisspellingAug,
    "keyboard": MistypingAug,
    "tfidf": CorpusTfIdfAug,
}

"""Figures of diversity: sizes, lengths, labels, vocabulary growth, type-token ratio, distinct-n and self-BLEU.

Some figures depend on the size of the corpus (vocabulary, type-token ratio, distinct-n). They are measured on a fixed number of words from
texts in a random order, so the figures of two corpora can be compared. The seed draws the order.
"""

from __future__ import annotations

import bisect
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from compactlm.artifacts import Document
from compactlm.draws import DrawnUntil
from compactlm.figures.figure import Figure
from compactlm.params import DiversityFigures

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_BLEU_ORDER = 4
_SMOOTHING = 0.1  # this value is used in place of a count of 0
Words = list[str]


def words_of(text: str) -> Words:
    """Return the words of a text in lower case: runs of letters and digits, with apostrophes inside them."""
    return _WORD.findall(text.casefold())


class Diversity:
    """Measures diversity row by row, so the corpus need not fit into memory."""

    def __init__(self, settings: DiversityFigures, seed: int) -> None:
        self._settings = settings
        self._rows = self._characters = self._words = 0
        self._lengths: Counter[int] = Counter()
        self._labels: Counter[str] = Counter()
        self._sample: DrawnUntil[Words] = DrawnUntil(settings.words, "diversity", seed, least=settings.bleu_texts)

    def add(self, document: Document) -> None:
        """Count a row."""
        self.add_words(document, words_of(document.text))

    def add_words(self, document: Document, words: Words) -> None:
        """Count a row with words that the caller has split already."""
        self._rows += 1
        self._characters += len(document.text)
        self._words += len(words)
        self._lengths[_bin(len(words))] += 1
        if document.label is not None:
            self._labels[document.label] += 1
        self._sample.add(document.id, len(words), words)

    def figures(self) -> dict[str, object]:
        """Return all figures as JSON values; a figure that needs more text is left out."""
        texts = self._sample.items()
        words = [word for text in texts for word in text][: self._settings.words]
        bleu = self_bleu([text[: self._settings.bleu_words] for text in texts[: self._settings.bleu_texts]])
        measured: dict[str, float | None] = {
            "type_token_ratio": mean_type_token_ratio(words, self._settings.window),
            "self_bleu": bleu,
            **{f"distinct_{size}": distinct_ngrams(texts, size, self._settings.words) for size in (1, 2, 3)},
        }

        def figure(value: float) -> dict[str, float | int]:
            return Figure.over_rows(round(value, 6), self._rows).to_json()

        return {
            "rows": self._rows,
            "characters": self._characters,
            "words": self._words,
            "lengths": {str(length): self._lengths[length] for length in sorted(self._lengths)},
            "labels": {label: figure(count / self._labels.total()) for label, count in sorted(self._labels.items())},
            "vocabulary": {str(seen): types for seen, types in vocabulary_growth(words)},
            **{name: figure(value) for name, value in measured.items() if value is not None},
        }


def measure_diversity(documents: Iterable[Document], settings: DiversityFigures, seed: int) -> dict[str, object]:
    """Return the figures of a stream of rows, which do not depend on its order; the seed draws the measured texts."""
    gathered = Diversity(settings, seed)
    for document in documents:
        gathered.add(document)
    return gathered.figures()


def _bin(words: int) -> int:
    """Return the upper end of a bin of lengths: 0, 1, 2, 4, 8, 16, ..."""
    return 0 if words == 0 else 1 << (words - 1).bit_length()


def vocabulary_growth(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of a number of words (1,000, 2,000, 4,000, ..., all) and the number of distinct words among them."""
    steps, step = [], 1_000
    while step < len(words):
        steps.append(step)
        step *= 2
    types: set[str] = set()
    growth, done = [], 0
    for end in [*steps, len(words)] if words else []:
        types.update(words[done:end])
        growth.append((end, len(types)))
        done = end
    return growth


def mean_type_token_ratio(words: Sequence[str], window: int) -> float | None:
    """Return the mean share of distinct words in windows of `window` words, or None if there is no full window.

    This is the mean segmental type-token ratio (Johnson 1944). The ratio of a whole corpus would fall with its size.
    """
    starts = range(0, len(words) - window + 1, window)
    return sum(len(set(words[start : start + window])) for start in starts) / window / len(starts) if starts else None


def distinct_ngrams(texts: Iterable[Words], size: int, most: int) -> float | None:
    """Return the share of distinct runs of `size` words among the first `most` runs (Li et al. 2016, https://arxiv.org/abs/1510.03055)."""
    seen: set[tuple[str, ...]] = set()
    total = 0
    for words in texts:
        for ngram in zip(*(words[offset:] for offset in range(size)), strict=False):
            if total == most:
                break
            seen.add(ngram)
            total += 1
    return len(seen) / total if total else None


def self_bleu(texts: Sequence[Words]) -> float | None:
    """Return the mean BLEU of each text against all others: 1 for copies, near 0 for texts without common words.

    The measure is from Zhu et al. 2018 (https://arxiv.org/abs/1802.01886), with n-grams of up to 4 words (fewer in shorter texts).
    Precisions of 0 are smoothed by method 1 of Chen and Cherry 2014. The result is None for fewer than two texts with words.
    """
    texts = [words for words in texts if words]
    if len(texts) < 2:
        return None
    counted = [[Counter(zip(*(words[n:] for n in range(size)), strict=False)) for words in texts] for size in range(1, _BLEU_ORDER + 1)]
    best = [_two_largest(counts) for counts in counted]
    lengths = sorted(len(words) for words in texts)
    return sum(_bleu(index, len(words), counted, best, lengths) for index, words in enumerate(texts)) / len(texts)


def _two_largest(counts: Sequence[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """Return for each n-gram its largest count in a text, the number of that text, and the largest count in other texts."""
    best: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for index, counter in enumerate(counts):
        for ngram, count in counter.items():
            largest, owner, second = best.get(ngram, (0, -1, 0))
            best[ngram] = (count, index, largest) if count > largest else (largest, owner, max(second, count))
    return best


def _bleu(
    index: int,
    size: int,
    counted: list[list[Counter[tuple[str, ...]]]],
    best: list[dict[tuple[str, ...], tuple[int, int, int]]],
    lengths: list[int],
) -> float:
    logarithms = []
    for counts, largest in zip(counted, best, strict=True):
        own = counts[index]
        if not own:
            break
        matched = 0
        for ngram, count in own.items():
            most, owner, second = largest[ngram]
            matched += min(count, second if owner == index else most)
        logarithms.append(math.log(max(matched, _SMOOTHING) / own.total()))
    closest = min((abs(other - size), other) for other in _neighbours(lengths, size))[1]
    penalty = 1.0 if size >= closest else math.exp(1 - closest / size)
    return penalty * math.exp(sum(logarithms) / len(logarithms))


def _neighbours(lengths: list[int], size: int) -> list[int]:
    """Return the lengths next to one occurrence of `size` in a sorted list."""
    place = bisect.bisect_left(lengths, size)
    return [*lengths[max(0, place - 1) : place], *lengths[place + 1 : place + 2]]

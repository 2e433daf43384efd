"""Filter by language, by py3langid: a naive Bayes model over byte sequences, which comes inside its package (Lui and Baldwin 2012)."""

from __future__ import annotations

import functools

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from compactlm.corpus.clean.filters.base import Dropped
from compactlm.corpus.clean.filters.measures import count_characters

LANGUAGE = "language"
_READ = 500  # characters, which tell the language as well as all of a long text


def known_languages() -> frozenset[str]:
    """Return the ISO 639 codes of the languages that the model knows."""
    return frozenset(_identifier().labels)


@functools.cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def in_languages(text: str, languages: frozenset[str], minimum_probability: float, minimum_letters: int) -> str | Dropped:
    """Drop a text that is in none of the languages with at least `minimum_probability`, all of them taken together.

    A text with fewer than `minimum_letters` letters among those that are read, the first 500 characters, is kept.
    """
    start = text[:_READ]
    if count_characters(start)["letters"] < minimum_letters:
        return text
    probability = sum(likely for language, likely in _identifier().rank(start) if language in languages)
    return text if probability >= minimum_probability else Dropped(LANGUAGE)

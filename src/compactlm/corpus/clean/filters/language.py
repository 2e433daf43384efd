"""Filter by language."""

from __future__ import annotations

from compactlm.corpus.clean.filters.base import Dropped
from compactlm.corpus.clean.filters.measures import count_characters
from compactlm.text.languages import language_probability

LANGUAGE = "language"
_READ = 500  # this many characters give the language of a long text as well as the whole text does


def in_languages(text: str, languages: frozenset[str], minimum_probability: float, minimum_letters: int) -> str | Dropped:
    """Drop a text if the sum of the probabilities of all `languages` is below `minimum_probability`.

    Only the first 500 characters are read. If they have fewer than `minimum_letters` letters, the text is kept.
    """
    start = text[:_READ]
    if count_characters(start)["letters"] < minimum_letters or language_probability(start, languages) >= minimum_probability:
        return text
    return Dropped(LANGUAGE)

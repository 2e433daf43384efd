"""WordNet's synonyms, where NLTK's data is on the machine; nothing is ever downloaded."""

from __future__ import annotations

import functools

from nltk.corpus import wordnet

from compactlm.corpus.augment_masked import Thesaurus


def find_wordnet() -> Thesaurus | None:
    """Return a thesaurus by WordNet, or None where NLTK finds no complete WordNet in its data directories."""
    try:
        wordnet.ensure_loaded()
        wordnet.synsets("good")
    except (LookupError, OSError):
        return None
    return synonyms


@functools.cache
def synonyms(word: str) -> tuple[str, ...]:
    """Return the words that share a sense with `word`: single words of letters, in alphabetical order."""
    names = {name.lower() for sense in wordnet.synsets(word) for name in sense.lemma_names()}
    return tuple(sorted(name for name in names if name.isalpha() and name != word.lower()))

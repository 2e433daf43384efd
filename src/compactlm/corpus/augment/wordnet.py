"""Synonyms and antonyms from WordNet, if it is installed as NLTK data or as Debian packages. Nothing is downloaded."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import nltk
from nltk.corpus import wordnet
from nltk.corpus.reader.wordnet import WordNetCorpusReader

from compactlm.errors import CompactLMError

DIRECTORY = Path("/usr/share/wordnet")  # Debian's wordnet-base and wordnet-sense-index; WNSEARCHDIR names another one
_SUBJECT_FIELDS = 45


class _DictionaryFiles(WordNetCorpusReader):
    """NLTK's reader of WordNet's own files. They lack `lexnames`, the names of subject fields, which are not needed here."""

    def open(self, file: str) -> Any:
        """Open a file of the directory."""
        if file == "lexnames":
            return io.StringIO("".join(f"{number} field{number} 0\n" for number in range(_SUBJECT_FIELDS)))
        return super().open(file)

    def map_wn(self, version: str = "wordnet") -> None:
        """Do nothing: the map is for other languages and needs NLTK's own copy."""


class WordNet:
    """A thesaurus (`compactlm.corpus.augment.contextual.Thesaurus`) by one of NLTK's readers."""

    def __init__(self, reader: Any) -> None:
        """Store a reader; results are cached."""
        self._reader = reader
        self._synonyms: dict[str, tuple[str, ...]] = {}
        self._opposites: dict[str, frozenset[str]] = {}

    def synonyms(self, word: str) -> tuple[str, ...]:
        """Return the words that share a sense with `word`, except its antonyms, in alphabetical order. They consist of letters only.

        An inflected form has no synonyms, because the words in WordNet are not inflected.
        """
        if word not in self._synonyms:
            senses = [{name.lower() for name in sense.lemma_names()} for sense in self._reader.synsets(word)]
            names = {name for sense in senses if word.lower() in sense for name in sense if name.isalpha()}
            self._synonyms[word] = tuple(sorted(names - self._opposites_of(word) - {word.lower()}))
        return self._synonyms[word]

    def opposes(self, word: str, other: str) -> bool:
        """Return whether a word or its base form is an antonym of the other. Antonyms through similar words count (awful, good)."""
        opposites = self._opposites_of(word)
        return bool(opposites) and not opposites.isdisjoint({other, *(self._reader.morphy(other, kind) for kind in "nvar")})

    def _opposites_of(self, word: str) -> frozenset[str]:
        if word not in self._opposites:
            found = set()
            for sense in self._reader.synsets(word):
                for head in [sense, *sense.similar_tos()]:
                    for antonym in (antonym.synset() for lemma in head.lemmas() for antonym in lemma.antonyms()):
                        found |= {name.lower() for near in [antonym, *antonym.similar_tos()] for name in near.lemma_names()}
            self._opposites[word] = frozenset(found)
        return self._opposites[word]


def find_wordnet() -> WordNet | None:
    """Return a thesaurus, or None if neither NLTK's data directories nor Debian's contain a complete WordNet.

    Raises:
        CompactLMError: WNSEARCHDIR is a directory without WordNet.
    """
    named = os.environ.get("WNSEARCHDIR")
    if named:
        found = _from_files(Path(named))
        if found is None:
            raise CompactLMError(f"WNSEARCHDIR is {named}, which does not contain WordNet; correct or unset it")
        return found
    try:
        wordnet.ensure_loaded()
        wordnet.synsets("good")
    except (LookupError, OSError):
        return _from_files(DIRECTORY)
    return WordNet(wordnet)


def _from_files(directory: Path) -> WordNet | None:
    try:
        if not directory.is_dir():
            return None
        nltk.data.path.append(str(directory))  # NLTK reads only below these directories
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about other languages
            reader = _DictionaryFiles(str(directory), None)
        reader.synsets("good")
    except (LookupError, OSError, ValueError):
        return None
    return WordNet(reader)

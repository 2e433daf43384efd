"""The nearest words of a word, by a table of vectors for which the teacher reads each word alone.

A word's vector is the mean of the teacher's last hidden states over the word with [CLS] and [SEP]; the mean of all words' vectors is
subtracted, and words are compared by cosine. Reading tokens alone follows Model2Vec (Tulkens and van Dongen 2024,
https://github.com/MinishLab/model2vec). Near words need not be synonyms: antonyms are near, too, so labels of copies must be checked.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from transformers import BertPreTrainedModel

from compactlm.bert.models import body_of
from compactlm.bert.pooling import mean_states
from compactlm.corpus.augment.contextual import Candidates

WORDS = 10_000  # the most words in the table
FREQUENT = 50  # this many of the most frequent words, most of them function words, have no neighbours
TOP = 5
LEAST_COSINE = 0.35
WORD = re.compile(r"[^\W\d_]{2,}")
ENDING = re.compile(r"(?:ies|s|ed|ing|ly|er|est)$")


class NearestWords:
    """Finds near words for the words of a corpus; its method `candidates` is a `compactlm.corpus.augment.synonyms.Lookup`.

    Args:
        model: the teacher, with or without a head.
        tokenizer: its tokenizer.
        texts: the corpus. The table holds its WORDS most frequent words in lower case that occur at least twice.
        batch_tokens: tokens a batch, padding included.
    """

    def __init__(self, model: BertPreTrainedModel, tokenizer: Any, texts: Sequence[str], batch_tokens: int) -> None:
        counts = collections.Counter(word for text in texts for word in WORD.findall(text.lower()))
        ranked = sorted((word for word, count in counts.items() if count > 1), key=lambda word: (-counts[word], word))
        self.words = ranked[FREQUENT : FREQUENT + WORDS]
        self._place = {word: place for place, word in enumerate(self.words)}
        self._endings = np.array([_ending(word) for word in self.words], dtype=object)
        sequences = tokenizer(self.words)["input_ids"] if self.words else []
        vectors = mean_states(body_of(model), sequences, tokenizer.pad_token_id, batch_tokens, "words read alone")
        vectors -= vectors.mean(axis=0) if self.words else 0.0
        self._vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)

    def candidates(self, word: str) -> Candidates:
        """Return at most TOP words with the ending of `word`, the nearest first, with their cosines; none for a word outside the table.

        The ending (-s, -ed, -ing, -ly, -er, -est or none) stands for the part of speech, which is not known.
        """
        place = self._place.get(word)
        if place is None:
            return []
        cosines = self._vectors @ self._vectors[place]
        cosines[place] = -1.0
        cosines[self._endings != self._endings[place]] = -1.0
        # Rounded, so that nearly equal cosines have the same order on every machine.
        best = np.lexsort((np.arange(len(cosines)), -cosines.round(4)))[:TOP]
        return [(self.words[index], round(float(cosines[index]), 4)) for index in best if cosines[index] >= LEAST_COSINE]


def _ending(word: str) -> str:
    found = ENDING.search(word)
    return found.group().replace("ies", "s") if found and not word.endswith("ss") else ""

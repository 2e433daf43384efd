"""Find the nearest words of a word in a table of word vectors. The teacher reads each word of the table alone.

A word's vector is the mean of the teacher's last hidden states over the word with [CLS] and [SEP], less the mean vector of all words. Words
are compared by cosine. Reading tokens alone follows Model2Vec (Tulkens and van Dongen 2024, https://github.com/MinishLab/model2vec). Near
words need not be synonyms: antonyms are near, too. The labels of copies must therefore be checked.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from transformers import BertPreTrainedModel

from compactlm.bert.models import body_of
from compactlm.bert.pooling import mean_states
from compactlm.corpus.augment.contextual import Candidates

WORDS = 10_000  # the most words in the table
FREQUENT = 50  # this many of the most frequent words, most of them function words, have no neighbours
TOP = 5
LEAST_COSINE = 0.5
DIGITS = 3
ROWS_AT_ONCE = 512
WORD = re.compile(r"[^\W\d_]{2,}")
ENDING = re.compile(r"(?:ies|s|ed|ing|ly|er|est)$")


class NearestWords:
    """Finds the nearest words for the words of a corpus; its method `candidates` is a `compactlm.corpus.augment.synonyms.Lookup`.

    Args:
        model: the teacher, with or without a head.
        tokenizer: its tokenizer.
        texts: the corpus. The table holds its WORDS most frequent words in lower case that occur at least twice.
        batch_tokens: tokens a batch, padding included.
    """

    def __init__(self, model: BertPreTrainedModel, tokenizer: Any, texts: Sequence[str], batch_tokens: int) -> None:
        counts = collections.Counter(word for text in texts for word in WORD.findall(text.lower()))
        ranked = sorted((word for word, count in counts.items() if count > 1), key=lambda word: (-counts[word], word))
        words = ranked[FREQUENT : FREQUENT + WORDS]
        sequences = tokenizer(words)["input_ids"] if words else []
        vectors = mean_states(body_of(model), sequences, tokenizer.pad_token_id, batch_tokens, "words read alone")
        self._near = dict(zip(words, nearest(words, vectors), strict=True))

    def candidates(self, word: str) -> Candidates:
        """Return up to TOP words with the ending of `word` and their cosines, the nearest first; none for a word outside the table."""
        return self._near.get(word, [])


def nearest(words: Sequence[str], vectors: npt.NDArray[np.float64]) -> Iterator[Candidates]:
    """Yield for each word up to TOP others with the same ending and a cosine of at least LEAST_COSINE, the nearest first.

    The ending (-s, -ed, -ing, -ly, -er, -est or none) replaces the part of speech, which is not known. `vectors` is [words, width].
    """
    if not words:
        return
    centred = vectors - vectors.mean(axis=0)
    units = (centred / np.linalg.norm(centred, axis=1, keepdims=True).clip(1e-12)).astype(np.float32)
    endings = np.unique([_ending(word) for word in words], return_inverse=True)[1]
    for start in range(0, len(words), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        # Rounded, so that the order of nearly equal cosines is the same on every machine.
        cosines = (units[rows] @ units.T).round(DIGITS)
        cosines[endings[rows, None] != endings[None, :]] = -1
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -1
        for row in cosines:
            near = np.flatnonzero(row >= LEAST_COSINE)
            best = near[np.argsort(-row[near], kind="stable")[:TOP]]
            yield [(words[place], round(float(row[place]), DIGITS)) for place in best]


def _ending(word: str) -> str:
    found = ENDING.search(word)
    return found.group().replace("ies", "s") if found and not word.endswith("ss") else ""

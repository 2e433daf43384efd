"""Describe texts by a model's vectors, words outside its vocabulary, and answers. Watching and picking compare these."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.inference.embedding import SentenceEmbedding
from compactlm.inference.runtime.model import Model
from compactlm.inference.runtime.tokenizer import Tokenizer
from compactlm.inference.tasks.classifying import classify
from compactlm.tasks.base import Input

WORDS, UNKNOWN, SPLIT = range(3)  # columns of `Described.counts`


@dataclasses.dataclass(frozen=True)
class Described:
    """A model's description of texts.

    Attributes:
        vectors: the sentence embeddings, unit vectors, float32 [rows, width]; None if the texts are not known.
        counts: words, unknown words and split words of each text, int64 [rows, 3].
        probabilities: the probability of each label, float32 [rows, labels]; None for a task that gives no labels.
        answers: the index of the label that the model gives, int64 [rows]; None for a task that gives no labels.
    """

    vectors: Array | None
    counts: Array
    probabilities: Array | None
    answers: Array | None

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.counts)

    @property
    def confidence(self) -> Array | None:
        """The probability of the given label, float64 [rows]; None for a task that gives no labels."""
        if self.probabilities is None or self.answers is None:
            return None
        return np.asarray(self.probabilities[np.arange(len(self)), self.answers], dtype=np.float64)


def describe(texts: Sequence[str], embedding: SentenceEmbedding, task: Model | None) -> Described:
    """Run a model on texts.

    Args:
        texts: at least one text.
        embedding: the sentence embedding.
        task: the model of a task that gives each text one label, or None.

    Raises:
        CompactLMError: a model is damaged.
    """
    tokenizer = embedding.model.tokenizer
    counts = np.array([count_words(tokenizer, ids) for ids in tokenizer.encode(texts)], dtype=np.int64)
    if task is None:
        return Described(embedding.embed(texts), counts, None, None)
    labels = task.directory.labels
    found = list(classify(task, map(Input, texts)))
    probabilities = np.array([[one.probabilities[label] for label in labels] for one in found], dtype=np.float32)
    answers = np.array([labels.index(one.label) for one in found], dtype=np.int64)  # type: ignore[union-attr]
    return Described(embedding.embed(texts), counts, probabilities, answers)


def count_words(tokenizer: Tokenizer, ids: Sequence[int]) -> tuple[int, int, int]:
    """Count words, unknown words, and words of several tokens in token ids with [CLS] and [SEP].

    A punctuation mark counts as a word, as in BERT's tokenizer.
    """
    inner = ids[1:-1]
    continues = [index in tokenizer.continuations for index in inner]
    split = sum(here and not before for before, here in zip([False, *continues], continues, strict=False))
    return len(inner) - sum(continues), sum(index == tokenizer.unknown for index in inner), split


def different_words(tokenizer: Tokenizer, text: str) -> set[str]:
    """Return the words of a text as the tokenizer splits and normalises them, without punctuation marks."""
    library = tokenizer.library
    normal = library.normalizer.normalize_str(text) if library.normalizer else text
    words = library.pre_tokenizer.pre_tokenize_str(normal) if library.pre_tokenizer else [(word, None) for word in normal.split()]
    return {word for word, _ in words if any(map(str.isalnum, word))}

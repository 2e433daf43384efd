"""The metrics of a tagger, from counts that add up over texts.

They are those of seqeval (Nakayama 2018) with its default rules: an entity is right if its type, its first and its last word are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compactlm.tasks.measures.ranking import divide
from compactlm.tasks.tags.schemes import entities

Array = npt.NDArray[np.float64]
COUNTS = ("right", "answered", "expected", "right_words", "words")
METRICS = ("entity_f1", "token_accuracy", "entity_precision", "entity_recall")


def count(expected: Sequence[Sequence[str]], answered: Sequence[Sequence[str]]) -> Array:
    """Return COUNTS of each text: entities that are right, answered and expected; words with the right tag, and words; float64 [texts, 5].

    Raises:
        ValueError: an answer has more or fewer tags than expected.
    """
    return np.array([_count(*pair) for pair in zip(expected, answered, strict=True)], dtype=np.float64).reshape(-1, len(COUNTS))


def _count(expected: Sequence[str], answered: Sequence[str]) -> tuple[int, ...]:
    right = sum(one == other for one, other in zip(expected, answered, strict=True))
    true, found = set(entities(expected)), set(entities(answered))
    return len(true & found), len(found), len(true), right, len(expected)


def metrics_of(counts: Array) -> dict[str, Array]:
    """Return METRICS of sums of COUNTS, float64 [..., 5]; 0 where there are no entities, as in seqeval, and nan without words."""
    right, answered, expected, right_words, words = np.moveaxis(counts, -1, 0)
    return {
        "entity_f1": divide(2 * right, answered + expected, 0.0),
        "token_accuracy": divide(right_words, words, np.nan),
        "entity_precision": divide(right, answered, 0.0),
        "entity_recall": divide(right, expected, 0.0),
    }


def best_constant(rows: Sequence[Sequence[str]], labels: Sequence[str], metric: str) -> str:
    """Return the tag with the highest metric if every word of the rows gets it; of equal tags the first."""
    figures = [float(metrics_of(count(rows, [[label] * len(tags) for tags in rows]).sum(axis=0))[metric]) for label in labels]
    return labels[int(np.argmax(figures))]

"""The share of letters that a question has in common with other texts. It finds misspelt words, rare words and names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array

WORD = re.compile(r"\w+")
LETTERS = 3


def trigrams(text: str) -> set[str]:
    """Return the sequences of three characters in a text's words, in lower case; words are separated by one space."""
    plain = f" {' '.join(WORD.findall(text.casefold()))} "
    return {plain[at : at + LETTERS] for at in range(len(plain) - LETTERS + 1)}


def overlaps(question: str, texts: Sequence[str]) -> Array:
    """Return the share of a question's trigrams that each text has, 0 to 1, float32 [texts].

    If k of the n texts have a trigram, its weight is log((n + 1) / (k + 0.5)), so rare words count more.
    """
    asked = trigrams(question)
    shared = [asked & trigrams(text) for text in texts]
    counts = Counter(trigram for some in shared for trigram in some)
    # Sorted, because the order of a set differs between processes, and with it the last bit of a sum.
    weights = {trigram: math.log((len(texts) + 1) / (counts[trigram] + 0.5)) for trigram in sorted(asked)}
    total = sum(weights.values())
    return np.array([math.fsum(weights[trigram] for trigram in some) / total if total else 0 for some in shared], dtype=np.float32)

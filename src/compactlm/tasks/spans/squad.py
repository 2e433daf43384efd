"""How right an answer is, by the rules of SQuAD (Rajpurkar et al. 2016, and 2018 for questions without an answer)."""

from __future__ import annotations

import collections
import re
import string
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
METRICS = ("f1", "exact_match")
FIRST_WORDS = (1, 2, 3, 5, 8, 13, 21, 34)  # lengths of the constant answers that chance tries
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str | None) -> str:
    """Return an answer in lower case without ASCII punctuation, English articles and spare spaces; "" for no answer."""
    return " ".join(_ARTICLES.sub(" ", (text or "").lower().translate(_PUNCTUATION)).split())


def exact_match(expected: str | None, answered: str | None) -> float:
    """Return 1.0 if both answers are the same once normalised, else 0.0. None is no answer."""
    return float(normalise(expected) == normalise(answered))


def f1(expected: str | None, answered: str | None) -> float:
    """Return the F1 of the words of two normalised answers, 0 to 1. If either has no word, it is 1.0 where both have none."""
    own, theirs = normalise(expected).split(), normalise(answered).split()
    if not own or not theirs:
        return float(own == theirs)
    shared = sum((collections.Counter(own) & collections.Counter(theirs)).values())
    return 2 * shared / (len(own) + len(theirs))


def scores(expected: Sequence[str | None], answered: Sequence[str | None]) -> Array:
    """Return METRICS of each row, float64 [rows, 2]."""
    pairs = list(zip(expected, answered, strict=True))
    return np.array([(f1(*pair), exact_match(*pair)) for pair in pairs], dtype=np.float64).reshape(-1, len(METRICS))


def constant_answers(passage: str) -> dict[str, str | None]:
    """Return answers that need no question, by name: none, the whole passage, and its first words."""
    words = passage.split()
    return {"none": None, "passage": passage} | {f"first {number}": " ".join(words[:number]) for number in FIRST_WORDS}


def best_constant(passages: Sequence[str], expected: Sequence[str | None], metric: str) -> str:
    """Return the name of the constant answer with the highest mean metric on some rows; of equal answers the first."""
    options = [constant_answers(passage) for passage in passages]
    column = METRICS.index(metric)
    means = {name: scores(expected, [one[name] for one in options])[:, column].mean() for name in constant_answers("")}
    return max(means, key=lambda name: means[name])

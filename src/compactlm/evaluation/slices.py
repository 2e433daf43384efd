"""The task's metric on slices of the test rows: by length, source, negation and rare words."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compactlm.evaluation.limits import SLICE_GAP
from compactlm.evaluation.paired import ROLES, Answers
from compactlm.figures.bootstrap import Resampler, share
from compactlm.figures.figure import MINIMUM_ROWS, Figure, Limit
from compactlm.params import Slices

WORD = re.compile(r"\w+(?:['\u2019]\w+)*")

Mask = npt.NDArray[np.bool_]


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case; "isn't" is one word."""
    return WORD.findall(text.lower())


def count_words(texts: Iterable[str], wanted: Iterable[str]) -> dict[str, int]:
    """Return how often each of the wanted words occurs in the texts, including words with a count of 0."""
    counts = collections.Counter(dict.fromkeys(wanted, 0))
    for text in texts:
        counts.update(word for word in words_of(text) if word in counts)
    return dict(counts)


def make_slices(texts: Sequence[str], sources: Sequence[str], settings: Slices, seen: Mapping[str, int]) -> dict[str, dict[str, Mask]]:
    """Return the rows of each slice, by kind and name. Every row is in one slice of each kind.

    `seen` has the count in the train split of each word that consists of letters.
    """
    rows = [words_of(text) for text in texts]
    lengths = np.array([len(words) for words in rows])
    negated = np.array([any(_negates(word, settings) for word in words) for words in rows], dtype=bool)
    rare = np.array([any(word.isalpha() and seen[word] < settings.rare_below for word in words) for words in rows], dtype=bool)
    short, long = settings.lengths
    origin = np.array(sources, dtype=object)
    return {
        "length": {"short": lengths <= short, "medium": (lengths > short) & (lengths <= long), "long": lengths > long},
        "source": {name: origin == name for name in sorted(set(sources))},
        "negation": {"with": negated, "without": ~negated},
        "rare_words": {"with": rare, "without": ~rare},
    }


def _negates(word: str, settings: Slices) -> bool:
    plain = word.replace("\u2019", "'")
    return plain in settings.negations or plain.endswith(tuple(settings.negation_endings))


def slice_figures(answers: Answers, slices: Mapping[str, Mapping[str, Mask]], resampler: Resampler) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the number of rows of each slice and the task's metric of each model, by kind and name of the slice."""
    right = {role: answers.right(role) for role in ROLES} if answers.by_rows else {}
    metric = answers.task.metric

    def measure(role: str, mask: Mask) -> Figure:
        rows = int(mask.sum())
        if right:
            return share(int(right[role][mask].sum()), rows, resampler.confidence, rows_needed=MINIMUM_ROWS)
        if not rows:
            return Figure.measured(None, rows=0, rows_needed=MINIMUM_ROWS)
        some = answers.some(np.flatnonzero(mask).tolist())
        drawn = np.concatenate([some.measure(role, weights)[metric] for weights in resampler.draw(np.ones(rows))])
        value = float(some.measure(role, np.ones((1, rows)))[metric][0])
        return resampler.figure(value, drawn, rows=rows, rows_needed=MINIMUM_ROWS)

    return {
        kind: {name: {"rows": int(mask.sum()), **{role: measure(role, mask) for role in ROLES}} for name, mask in parts.items()}
        for kind, parts in slices.items()
    }


def worst_slice(figures: Mapping[str, Mapping[str, Mapping[str, Any]]], student: float) -> dict[str, Figure]:
    """Return for each model the lowest metric on a judged slice; nothing if no slice is judged.

    Args:
        figures: the result of `slice_figures`.
        student: the student's metric on all rows. The limit of its worst slice is SLICE_GAP below this metric.
    """
    judged = {role: [part[role] for parts in figures.values() for part in parts.values() if part[role].judged] for role in ROLES}
    worst = {role: min(found, key=lambda figure: figure.value) for role, found in judged.items() if found}
    return {role: figure.with_limit(Limit(low=student - SLICE_GAP)) if role == "student" else figure for role, figure in worst.items()}

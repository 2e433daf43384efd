"""Order passages by how well they fit a query, with a task that reads pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks.classifying import classify
from compactlm.inference.tasks.scoring import score
from compactlm.tasks.base import Input

KINDS = ("classification", "multilabel", "regression")


@dataclasses.dataclass(frozen=True)
class Ranked:
    """The position of a passage among the given ones, from 0, and its score."""

    index: int
    score: float
    text: str


def label_of(model: Model, label: str | None) -> str | None:
    """Return the label whose probability is the score of a passage; None for a task whose answer is a number.

    Raises:
        CompactLMError: the task has no such label, or no label is given and there are more than two.
    """
    labels = model.directory.labels
    if model.directory.task.kind == "regression":
        return None
    if label is None and len(labels) == 2:
        return labels[1]
    if label not in labels:
        wrong = "has several labels" if label is None else f"has no label {label!r}"
        raise CompactLMError(f"the task {model.directory.path.name!r} {wrong}; choose the label to order by: {', '.join(labels)}")
    return label


def fits(model: Model, query: str, passages: Iterable[str], label: str | None) -> Iterator[float]:
    """Yield the score of each passage: the task's number, or the probability of the label that `label_of` returns."""
    chosen = label_of(model, label)
    pairs = (Input(query, pair=passage) for passage in passages)
    if chosen is None:
        yield from (one.score for one in score(model, pairs))
    else:
        yield from (one.probabilities[chosen] for one in classify(model, pairs))


def order(scores: Array, passages: list[str], top_k: int | None = None) -> list[Ranked]:
    """Return the passages by their scores, the highest first. Equal scores keep their order."""
    best = np.argsort(-np.asarray(scores, np.float64), kind="stable")[:top_k].tolist()
    return [Ranked(index, float(scores[index]), passages[index]) for index in best]

"""Classify one text or pair, or a stream of them: one label, or any number of labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks.encoding import encoder_of
from compactlm.inference.tasks.streaming import FIRST_ROWS, Encoded, Outputs, answers, stream
from compactlm.tasks.base import Input
from compactlm.tasks.multilabel import THRESHOLD

TEXTS_AT_ONCE = 4096  # this many texts are sorted by length together
KINDS = ("classification", "multilabel")


@dataclasses.dataclass(frozen=True)
class Classification:
    """The answer of a classifier.

    Attributes:
        label: the likeliest label.
        probability: the probability of that label, 0 to 1.
        probabilities: the probability of each label; they sum to 1.
        cut: whether the text was truncated because it is longer than the model accepts.
        unknown: whether at least half of the text is unknown to the vocabulary, or a text has no tokens. The label then means little.
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    cut: bool
    unknown: bool


@dataclasses.dataclass(frozen=True)
class LabelSet:
    """The answer of a model that gives each text any number of labels.

    Attributes:
        labels: the labels with a probability of one half or more, the likeliest first.
        probabilities: the probability of each label, independent of the others, 0 to 1.
        cut: whether the text was truncated because it is longer than the model accepts.
        unknown: whether at least half of the text is unknown to the vocabulary, or a text has no tokens. The labels then mean little.
    """

    labels: tuple[str, ...]
    probabilities: dict[str, float]
    cut: bool
    unknown: bool


def labels_texts(model: Model) -> bool:
    """Return whether a task gives one label to each single text."""
    task = model.directory.task
    return task.kind == "classification" and not task.pair


def classify(
    model: Model, rows: Iterable[Input], rows_at_once: int = TEXTS_AT_ONCE, first_rows: int = FIRST_ROWS
) -> Iterator[Classification | LabelSet]:
    """Yield one answer for each row, in order; see streaming.stream for the arguments.

    Raises:
        CompactLMError: a row has one text but the task reads two, or the other way round.
    """
    for encoded, outputs in stream(model, rows, encoder_of(model, rows_at_once), rows_at_once, first_rows):
        yield from classifications(model, encoded, outputs)


def classifications(model: Model, encoded: Sequence[Encoded], outputs: Outputs) -> Iterator[Classification | LabelSet]:
    """Yield the answer for each row, given the outputs of a classifier."""
    task = model.directory.task
    probabilities = answers(model, encoded, outputs)
    several, labels = task.kind == "multilabel", model.directory.labels
    for one, row, best in zip(encoded, probabilities.tolist(), probabilities.argmax(axis=1).tolist(), strict=True):
        named = dict(zip(labels, row, strict=True))
        if several:
            given = sorted((label for label in labels if named[label] >= THRESHOLD), key=lambda label: -named[label])
            yield LabelSet(tuple(given), named, one.cut, one.unknown)
        else:
            yield Classification(labels[best], row[best], named, one.cut, one.unknown)

"""Score texts or pairs of texts by a number."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks.encoding import encoder_of
from compactlm.inference.tasks.streaming import Encoded, Outputs, answers, stream
from compactlm.tasks.base import Input

TEXTS_AT_ONCE = 4096  # this many texts are sorted by length together
KINDS = ("regression",)


@dataclasses.dataclass(frozen=True)
class Score:
    """The score of a text or pair.

    Attributes:
        score: the number, in the units of the training data.
        cut: whether the text was truncated because it is longer than the model accepts.
        unknown: whether at least half of the text is unknown to the vocabulary, or a text has no tokens. The score then means little.
    """

    score: float
    cut: bool
    unknown: bool


def score(model: Model, rows: Iterable[Input], rows_at_once: int = TEXTS_AT_ONCE) -> Iterator[Score]:
    """Yield the score of each row, in order; see streaming.stream for the arguments, and classifying.classify for the errors."""
    for encoded, outputs in stream(model, rows, encoder_of(model, rows_at_once), rows_at_once):
        yield from scores(model, encoded, outputs)


def scores(model: Model, encoded: Sequence[Encoded], outputs: Outputs) -> Iterator[Score]:
    """Yield the score of each row, given the outputs of the model."""
    found = answers(model, encoded, outputs)
    for one, number in zip(encoded, found.tolist(), strict=True):
        yield Score(number, one.cut, one.unknown)

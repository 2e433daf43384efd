"""Find the answer to a question in a passage."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from compactlm.inference.runtime.model import Model
from compactlm.inference.tasks.encoding import encoder_of
from compactlm.inference.tasks.streaming import Encoded, Outputs, answers, stream
from compactlm.tasks.base import Input

QUESTIONS_AT_ONCE = 64  # a passage can be long
KINDS = ("span",)


@dataclasses.dataclass(frozen=True)
class Extraction:
    """The answer to a question.

    Attributes:
        answer: the part of the passage; None if the passage has no answer.
        start: the position of its first character in the passage; None without an answer.
        end: the position after its last character; None without an answer.
        score: the probability of this answer (or of no answer) among all spans of the passage and no answer, 0 to 1.
        unknown: whether at least half of question and passage is unknown to the vocabulary, or one of them has no tokens. The answer then
            means little.
    """

    answer: str | None
    start: int | None
    end: int | None
    score: float
    unknown: bool


def extract(model: Model, rows: Iterable[Input], rows_at_once: int = QUESTIONS_AT_ONCE) -> Iterator[Extraction]:
    """Yield the answer for each row, in order. A row has the passage as its text and the question as its pair.

    A passage that is longer than the model accepts is read in overlapping windows. See streaming.stream for the other arguments.
    """
    for encoded, outputs in stream(model, rows, encoder_of(model, rows_at_once), rows_at_once):
        yield from extractions(model, encoded, outputs)


def extractions(model: Model, encoded: Sequence[Encoded], outputs: Outputs) -> Iterator[Extraction]:
    """Yield the answer for each row, given the outputs of the model."""
    found = answers(model, encoded, outputs)
    for one, span in zip(encoded, found, strict=True):
        unknown = one.unknown or not one.row.text.strip() or not (one.row.pair or "").strip()
        start, end = (None, None) if span.text is None else (span.start, span.end)
        yield Extraction(span.text, start, end, span.score, unknown)

"""The answer to a question in a passage, or none."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compactlm.tasks.answers import Span
from compactlm.tasks.base import IGNORED, AnyRow, Array, Example, Finished, Kind, Row, Segmenter, Settings, Target, Task
from compactlm.tasks.spans import squad
from compactlm.tasks.spans.best import Found, best_span, best_threshold
from compactlm.tasks.spans.windows import NO_ANSWER, answer_tokens, span_windows

if TYPE_CHECKING:
    from torch import Tensor

LONGEST = 64  # tokens of an answer
WINDOWS = 2  # of a row that training reads
NO_ANSWER_THRESHOLD = "no_answer_threshold"  # in config.json


class SpanExtraction(Kind):
    """The question is `pair`, the passage is `text`. Answers are one Span a row.

    A passage that is longer than the model reads becomes several windows. No answer has the score of [CLS]; a place in the passage is
    the answer if its score is above that by more than config.no_answer_threshold.
    """

    name = "span"
    architecture = "BertForQuestionAnswering"
    per_token = True
    pipeline_tag = "question-answering"
    main_metrics = squad.METRICS
    fields = ("answer_start",)
    has_labels = False
    answer_type = Span

    def outputs(self, task: Task) -> int:
        """Return 2, for starts and ends."""
        return 2

    def names(self, task: Task) -> list[str]:
        """Return no names: these outputs are no labels."""
        return []

    def reads_pairs(self, task: Task) -> bool:
        """Return True: a question and a passage are a pair."""
        return True

    def invalid(self, row: Row, task: Task) -> str | None:
        """See Kind.invalid."""
        answer, start = row.answer, row.answer_start
        if row.pair is None:
            return "the row has no question"
        if answer is None or start is None or start < 0:
            return None if answer is None and start == -1 else "the row has an answer without a place, or a place without an answer"
        if not answer.strip():
            return "the answer is empty; leave the answer out where the passage has none"
        if row.text[start : start + len(answer)] != answer:
            return f"the answer {_short(answer)!r} does not stand at character {start:,} of the passage"
        return None

    def encode(
        self, segmenter: Segmenter, rows: Sequence[Row], task: Task, maximum_length: int, *, places: bool = False
    ) -> list[list[Example]]:
        """Return the windows of each row (see Kind.encode). An answer without a token makes the row unlabelled."""
        questions = segmenter.pieces([row.pair or "" for row in rows])
        texts = list(dict.fromkeys(row.text for row in rows))  # many questions share a passage
        read = dict(zip(texts, zip(segmenter.pieces(texts), segmenter.offsets(texts), strict=True), strict=True))
        overlap = maximum_length // 4 if task.stride is None else task.stride
        found = []
        for row, question in zip(rows, questions, strict=True):
            passage = read[row.text]
            answer, labelled = None, row.answer_start is not None
            if row.answer and row.answer_start is not None:
                answer = answer_tokens(passage[1], row.answer_start, row.answer_start + len(row.answer))
                labelled = answer is not None
            windows = span_windows(segmenter, question, passage, answer, maximum_length, overlap)
            found.append(
                [
                    dataclasses.replace(one, target=one.target if labelled else None, places=one.places if places else None)
                    for one in windows
                ]
            )
        return found

    def trained(self, examples: Sequence[Example], row: Row) -> list[Example]:
        """Return the window with the most context on both sides of the answer, and one of the others, or two without an answer.

        Most windows of a long passage have no answer, so that a model that reads all of them learns to give none.
        """
        holding = [number for number, one in enumerate(examples) if one.target not in (None, NO_ANSWER)]
        kept = [max(holding, key=lambda number: _context(examples[number]))] if holding else []
        others = [number for number in range(len(examples)) if number not in holding]
        while others and len(kept) < WINDOWS:
            kept.append(others.pop(_drawn(f"{row.id}/{row.pair}/{len(kept)}", len(others))))
        return [examples[number] for number in sorted(kept)]

    def collate(self, targets: Sequence[Target | None], tokens: int) -> Array:
        """Return the first and the last token of each answer, int64 [rows, 2]; IGNORED for unlabelled rows."""
        return np.array([[IGNORED, IGNORED] if target is None else target for target in targets], dtype=np.int64)

    def hard_loss(
        self,
        logits: Tensor,
        batch: Mapping[str, Tensor],
        focal_gamma: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> Tensor:
        """Return the cross-entropy of starts and ends; see Kind.hard_loss."""
        from compactlm.tasks.spans.losses import hard_spans

        return hard_spans(logits, batch["labels"], batch["attention_mask"], batch.get("weights"), focal_gamma)

    def soft_loss(self, logits: Tensor, batch: Mapping[str, Tensor], temperature: float) -> Tensor:
        """Return the divergence from the teacher's distributions over starts and ends; see Kind.soft_loss."""
        from compactlm.tasks.spans.losses import soft_spans

        return soft_spans(logits, batch["teacher_logits"], batch["attention_mask"], temperature, batch.get("weights"))

    def answers(
        self,
        logits: Sequence[Sequence[Array]],
        examples: Sequence[Sequence[Example]],
        rows: Sequence[Row],
        task: Task,
        settings: Settings,
    ) -> list[Span]:
        """Return the best place of each passage, or no answer (see Kind.answers)."""
        threshold = float(settings.get(NO_ANSWER_THRESHOLD) or 0.0)
        found = (best_span(windows, outputs, LONGEST) for windows, outputs in zip(examples, logits, strict=True))
        return [_span(one, row.text, threshold) for one, row in zip(found, rows, strict=True)]

    def finish(self, logits: Sequence[Sequence[Array]], examples: Sequence[Sequence[Example]], rows: Sequence[Row], task: Task) -> Finished:
        """Choose by how much the score of an answer must be above that of no answer, for the highest task metric."""
        found = [best_span(windows, outputs, LONGEST) for windows, outputs in zip(examples, logits, strict=True)]
        column = squad.METRICS.index(task.metric)
        expected = [row.answer for row in rows]
        given = squad.scores(
            expected, [row.text[one.start : one.end] if one.start >= 0 else None for one, row in zip(found, rows, strict=True)]
        )
        nothing = squad.scores(expected, [None] * len(rows))
        threshold = best_threshold([one.margin for one in found], given[:, column], nothing[:, column])
        return Finished(config={NO_ANSWER_THRESHOLD: threshold}, metrics={NO_ANSWER_THRESHOLD: threshold})

    def measure(
        self,
        answers: Sequence[Span],
        rows: Sequence[Row],
        task: Task,
        weights: Array,
        settings: Settings,
        bins: int = 15,
    ) -> dict[str, Array]:
        """See Kind.measure and compactlm.tasks.spans.squad."""
        return _means(squad.scores([row.answer for row in rows], [answer.text for answer in answers]), weights)

    def chance(self, rows: Sequence[Row], task: Task, weights: Array) -> Array:
        """Return the metric of the best of squad.constant_answers."""
        passages, expected = [row.text for row in rows], [row.answer for row in rows]
        best = squad.best_constant(passages, expected, task.metric)
        return _means(squad.scores(expected, [squad.constant_answers(passage)[best] for passage in passages]), weights)[task.metric]

    def unchanged(self, answers: Sequence[Any], before: Sequence[Any], rows: Sequence[Row], task: Task) -> list[bool]:
        """Return whether the answers are the same text."""
        return [one.text == other.text for one, other in zip(answers, before, strict=True)]

    def strata(self, row: Row, task: Task) -> str:
        """Return whether the passage has an answer."""
        return "no_answer" if row.answer is None else "answer"

    def editable(self, row: Row) -> str:
        """Return the question."""
        return row.pair or ""

    def edited(self, row: AnyRow, text: str) -> AnyRow | None:
        """Return the row with another question."""
        return dataclasses.replace(row, pair=text)  # type: ignore[type-var]

    def show(self, answer: Span, task: Task, settings: Settings) -> str:
        """Return the answer and its probability."""
        return f"{'no answer' if answer.text is None else repr(answer.text)} ({answer.score:.2f})"

    def to_json(self, answer: Span, task: Task, settings: Settings) -> Any:
        """Return the answer with its place in characters and its probability."""
        return {"answer": answer.text, "start": answer.start, "end": answer.end, "score": answer.score}

    def expected(self, row: Row, task: Task) -> str:
        """Return the answer of the row."""
        return row.answer or "no answer"


def _span(found: Found, passage: str, threshold: float) -> Span:
    if found.is_answer(threshold):
        return Span(passage[found.start : found.end], found.start, found.end, found.probability)
    return Span(None, -1, -1, found.nothing)


def _means(scores: Array, weights: Array) -> dict[str, Array]:
    """Return the mean of each column of squad.scores in each resample."""
    sums = weights @ np.column_stack([scores, np.ones(len(scores))])
    return {name: np.divide(sums[:, column], sums[:, -1]) for column, name in enumerate(squad.METRICS)}


def _context(example: Example) -> float:
    """Return the fewer tokens of those between the question and the answer, and of those after the answer."""
    start, end = example.target or NO_ANSWER
    return min(start - (example.second or 0), len(example.input_ids) - 1 - end)


def _drawn(key: str, options: int) -> int:
    """Return a number below `options`, the same for the same key."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) % options


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"

"""How a kind of task answers, and how its answers are judged and shown."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np

from compactlm.tasks.base.examples import Array, Example, Settings
from compactlm.tasks.base.rows import Row, Task


class Answering(abc.ABC):
    """The part of a kind that turns outputs into answers, and answers into metrics.

    Attributes:
        lower_is_better: the metrics where lower is better.
        answer_type: the class of an answer whose fields are JSON values, or None where answers are rows of an array.
        right_or_wrong: whether an answer is right or wrong, as `right` says.
        has_favourable: whether a bias audit compares how often a favourable label is given; else it compares numbers, or nothing.
    """

    lower_is_better: tuple[str, ...] = ()
    answer_type: Any = None
    right_or_wrong: bool = False
    has_favourable: bool = False

    @abc.abstractmethod
    def answers(
        self, logits: Sequence[Sequence[Array]], examples: Sequence[Sequence[Example]], rows: Sequence[Row], task: Task, settings: Settings
    ) -> Any:
        """Return a sequence, or an array, with the answer to each row.

        Args:
            logits: for each row and each of its sequences, float32 [outputs] or [tokens, outputs].
            examples: the sequences, with places.
            rows: the rows.
            task: their task.
            settings: the model's config.json.
        """

    @abc.abstractmethod
    def measure(
        self, answers: Any, rows: Sequence[Row], task: Task, weights: Array, settings: Settings, bins: int = 15
    ) -> dict[str, Array]:
        """Return `metrics` for each of several resamples, float64 [resamples].

        Args:
            answers: what `answers` returned.
            rows: labelled rows.
            task: their task.
            weights: how often each row occurs in each resample, float64 [resamples, rows].
            settings: the model's config.json.
            bins: the bins of the calibration error.
        """

    @abc.abstractmethod
    def chance(self, rows: Sequence[Row], task: Task, weights: Array) -> Array:
        """Return the task's metric of the best constant answer for each resample, float64 [resamples]."""

    def right(self, answers: Any, rows: Sequence[Row], task: Task) -> Array | None:
        """Return 1.0 for each row with the right answer and else 0.0; None where an answer is more or less right."""
        return None

    def unchanged(self, answers: Sequence[Any], before: Sequence[Any], rows: Sequence[Row], task: Task) -> list[bool]:
        """Return whether each answer says the same as the answer to a similar text, `before`; `rows` are the rows of the answers.

        Augmentation asks this of kinds whose answers are not right or wrong.
        """
        return [one == other for one, other in zip(answers, before, strict=True)]

    def flipped(self, answers: Any, before: Any, task: Task) -> Array:
        """Return 1.0 for each answer that is another than the answer to the same row with other words, `before`, else 0.0 [rows].

        A bias audit counts these flips. Scores only move, so by default no answer flips.
        """
        return np.zeros(len(answers))

    def outcome(self, answers: Any, rows: Sequence[Row], task: Task, favourable: str | None) -> Array | None:
        """Return the number of each row that a bias audit compares between groups, float64 [rows]; None if there is none.

        `answers` are a model's, or None for the labels of the rows. `favourable` is the favourable label.
        """
        return None

    @abc.abstractmethod
    def show(self, answer: Any, task: Task, settings: Settings) -> str:
        """Return an answer in one line for people."""

    @abc.abstractmethod
    def to_json(self, answer: Any, task: Task, settings: Settings) -> Any:
        """Return an answer as JSON."""

"""One label of several for a text or a pair of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compactlm.tasks.base import IGNORED, Array, Example, Finished, Row, RowKind, Settings, Target, Task
from compactlm.tasks.base.reading import SINGLE_LABEL
from compactlm.tasks.base.training import inverse_frequencies
from compactlm.tasks.thresholds import best_threshold

if TYPE_CHECKING:
    from torch import Tensor


class Classification(RowKind):
    """A label is one of `labels`. Answers are the probabilities of all labels, float64 [rows, labels]."""

    name = "classification"
    problem_type = SINGLE_LABEL
    main_metrics = ("accuracy", "macro_f1", "matthews")
    further_metrics = ("auroc", "log_loss", "calibration_error")
    lower_is_better = ("log_loss", "calibration_error")
    fields = ("label",)
    has_favourable = True
    right_or_wrong = True
    stores_target = False
    finishes_teacher = False  # the teacher answers with its likeliest label

    def problems(self, task: Task) -> Iterator[str]:
        """See Kind.problems."""
        yield from super().problems(task)
        if len(task.labels) == 1:
            yield "labels has fewer than two labels; list all labels of the task"

    def invalid(self, row: Row, task: Task) -> str | None:
        """See Kind.invalid."""
        return None if row.label in task.labels else f"the label {row.label!r} is not one of {', '.join(task.labels)}"

    def target(self, row: Row, task: Task) -> Target | None:
        """Return the id of the label."""
        return None if row.label is None else [float(task.labels.index(row.label))]

    def stored_target(self, cells: Mapping[str, Any], task: Task) -> Target | None:
        """Return the id of the label, which the row stores by name."""
        return None if cells["label"] is None else [float(task.labels.index(cells["label"]))]

    def collate(self, targets: Sequence[Target | None], tokens: int) -> Array:
        """Return label ids, int64 [rows]."""
        return np.array([IGNORED if target is None else int(target[0]) for target in targets], dtype=np.int64)

    def balanced(self, targets: Sequence[Target | None], task: Task) -> list[float] | None:
        """Return the inverse frequency of each label among the rows."""
        return inverse_frequencies((target[0] for target in targets if target is not None), len(task.labels))

    def hard_loss(
        self, logits: Tensor, batch: Mapping[str, Tensor], focal_gamma: float = 0.0, class_weights: Tensor | None = None
    ) -> Tensor:
        """Return the cross-entropy of the labels; see Kind.hard_loss."""
        from compactlm.tasks.losses import hard_labels

        return hard_labels(logits, batch["labels"], batch.get("weights"), focal_gamma, class_weights)

    def soft_loss(self, logits: Tensor, batch: Mapping[str, Tensor], temperature: float) -> Tensor:
        """Return the divergence from the teacher's distribution; see Kind.soft_loss."""
        from compactlm.tasks.losses import soft_targets

        return soft_targets(logits, batch["teacher_logits"], temperature, batch.get("weights"))

    def activate(self, logits: Array) -> Array:
        """Return probabilities."""
        exponentials = np.exp((wide := logits.astype(np.float64)) - wide.max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)

    def activate_tensor(self, logits: Tensor) -> Array:
        """Return probabilities."""
        import torch

        return torch.softmax(logits.double(), dim=1).numpy()

    def finish(self, logits: Sequence[Sequence[Array]], examples: Sequence[Sequence[Example]], rows: Sequence[Row], task: Task) -> Finished:
        """Choose the decision threshold of two labels."""
        if len(task.labels) != 2:
            return Finished()
        probabilities = self.answers(logits, examples, rows, task, {})
        threshold = best_threshold(probabilities[:, 1], self._ids(rows, task))
        metrics = {"decision_threshold": 0.5 if threshold is None else threshold}
        return Finished(None if threshold is None else [0.5, threshold], metrics=metrics)

    def measure(
        self,
        answers: Array,
        rows: Sequence[Row],
        task: Task,
        weights: Array,
        settings: Settings,
        bins: int = 15,
    ) -> dict[str, Array]:
        """See Kind.measure and compactlm.tasks.label_metrics."""
        from compactlm.tasks.label_metrics import resampled_task_metrics

        return resampled_task_metrics(self._ids(rows, task), answers, weights, bins)

    def chance(self, rows: Sequence[Row], task: Task, weights: Array) -> Array:
        """Return the metric of one label for all rows: the most frequent one."""
        expected = self._ids(rows, task)
        counts = weights @ (expected[:, None] == np.arange(len(task.labels))).astype(np.float64)
        most, total = counts.max(axis=1), counts.sum(axis=1)
        if task.metric == "accuracy":
            return most / total
        if task.metric == "macro_f1":
            return 2 * most / (most + total) / len(np.unique(expected))
        return np.zeros(len(weights))

    def right(self, answers: Array, rows: Sequence[Row], task: Task) -> Array | None:
        """See Kind.right; an answer is the likeliest label."""
        return (answers.argmax(axis=1) == self._ids(rows, task)).astype(np.float64)

    def flipped(self, answers: Array, before: Array, task: Task) -> Array:
        """Return whether the likeliest label is another (see Kind.flipped)."""
        return (answers.argmax(axis=1) != before.argmax(axis=1)).astype(np.float64)

    def strata(self, row: Row, task: Task) -> str:
        """Return the label."""
        return str(row.label)

    def outcome(self, answers: Any, rows: Sequence[Row], task: Task, favourable: str | None) -> Array | None:
        """Return whether each row has, or gets, the favourable label."""
        if favourable not in task.labels:
            return None
        ids = self._ids(rows, task) if answers is None else answers.argmax(axis=1)
        return (ids == task.labels.index(favourable)).astype(np.float64)

    def show(self, answer: Array, task: Task, settings: Settings) -> str:
        """Return the likeliest label and its probability."""
        best = int(answer.argmax())
        return f"{task.labels[best]} {answer[best]:.0%}"

    def to_json(self, answer: Array, task: Task, settings: Settings) -> Any:
        """Return the likeliest label and the probability of each label."""
        probabilities = {label: float(probability) for label, probability in zip(task.labels, answer, strict=True)}
        return {"label": task.labels[int(answer.argmax())], "probabilities": probabilities}

    def expected(self, row: Row, task: Task) -> str:
        """Return the label."""
        return str(row.label)

    def _ids(self, rows: Sequence[Row], task: Task) -> Array:
        return np.array([task.labels.index(str(row.label)) for row in rows], dtype=np.int64)

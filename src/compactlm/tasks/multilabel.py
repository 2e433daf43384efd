"""Any number of several labels for a text or a pair of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compactlm.tasks.base import Array, Example, Finished, Row, RowKind, Settings, Target, Task
from compactlm.tasks.base.reading import joined
from compactlm.tasks.measures import several_labels

if TYPE_CHECKING:
    from torch import Tensor

THRESHOLD = 0.5  # training folds the chosen thresholds into the head


class Multilabel(RowKind):
    """Labels are any of `labels`. Answers are the probability of each label, float64 [rows, labels], independent of each other."""

    name = "multilabel"
    problem_type = "multi_label_classification"
    main_metrics = several_labels.METRICS
    fields = ("labels",)
    has_favourable = True

    def invalid(self, row: Row, task: Task) -> str | None:
        """See Kind.invalid."""
        unknown = [label for label in row.labels or () if label not in task.labels]
        return f"the label {unknown[0]!r} is not one of {', '.join(task.labels)}" if unknown else None

    def target(self, row: Row, task: Task) -> Target | None:
        """Return 1 for each label of the row and 0 for the others."""
        return None if row.labels is None else [float(label in row.labels) for label in task.labels]

    def collate(self, targets: Sequence[Target | None], tokens: int) -> Array:
        """Return which labels the rows have, float32 [rows, labels]; nan in unlabelled rows."""
        width = next((len(target) for target in targets if target is not None), 1)
        return np.array([[np.nan] * width if target is None else target for target in targets], dtype=np.float32)

    def balanced(self, targets: Sequence[Target | None], task: Task) -> list[float] | None:
        """Return rows without each label over rows with it, a factor for the latter; 1 for a label without either."""
        marks = self._table([target for target in targets if target is not None], task)
        having, lacking = marks.sum(axis=0), (~marks).sum(axis=0)
        return np.where((having > 0) & (lacking > 0), lacking / np.maximum(having, 1), 1.0).tolist()

    def hard_loss(
        self, logits: Tensor, batch: Mapping[str, Tensor], focal_gamma: float = 0.0, class_weights: Tensor | None = None
    ) -> Tensor:
        """Return the binary cross-entropy of the labels; see Kind.hard_loss."""
        from compactlm.tasks.measures.losses import binary_cross_entropy

        labels = batch["labels"].expand(len(logits), logits.shape[1])  # a batch without labelled rows has one column
        return binary_cross_entropy(logits, labels, batch.get("weights"), focal_gamma, class_weights)

    def soft_loss(self, logits: Tensor, batch: Mapping[str, Tensor], temperature: float) -> Tensor:
        """Return the binary cross-entropy of the teacher's probabilities; see Kind.soft_loss."""
        from compactlm.tasks.measures.losses import soft_binary_cross_entropy

        return soft_binary_cross_entropy(logits, batch["teacher_logits"], temperature, batch.get("weights"))

    def activate(self, logits: Array) -> Array:
        """Return probabilities."""
        return 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -700, 700)))

    def finish(
        self,
        logits: Sequence[Sequence[Array]],
        examples: Sequence[Sequence[Example]],
        rows: Sequence[Row],
        task: Task,
    ) -> Finished:
        """Choose the threshold of each label with the highest F1.

        The metrics are the F1 on the same rows at one half and at the thresholds, which is too high, because the rows chose them.
        """
        if not rows:
            return Finished()
        marks, outputs = self._marks(rows, task), np.stack([one[0] for one in logits])
        found = several_labels.best_thresholds(marks, outputs)
        both = {"at_one_half": outputs, "at_thresholds": outputs - found}
        measured = {name: self._f1(marks, self.activate(shifted)) for name, shifted in both.items()}
        # A probability of exactly 0 or 1 cannot be folded.
        thresholds = self.activate(np.clip(found, -30, 30)).tolist() if found.any() else None
        return Finished(thresholds, metrics={"validation": measured})

    def _f1(self, marks: Array, answers: Array) -> dict[str, float]:
        measured = several_labels.metrics(marks, answers, np.ones((1, len(marks))), THRESHOLD)
        return {name: float(measured[name][0]) for name in ("macro_f1", "micro_f1")}

    def measure(
        self,
        answers: Array,
        rows: Sequence[Row],
        task: Task,
        weights: Array,
        settings: Settings,
        bins: int = 15,
    ) -> dict[str, Array]:
        """See Kind.measure and compactlm.tasks.measures.several_labels."""
        return several_labels.metrics(self._marks(rows, task), answers, weights, THRESHOLD)

    def chance(self, rows: Sequence[Row], task: Task, weights: Array) -> Array:
        """Return the metric of the best answer that is the same for all rows."""
        return several_labels.best_constant(self._marks(rows, task), weights, task.metric)

    def unchanged(self, answers: Sequence[Any], before: Sequence[Any], rows: Sequence[Row], task: Task) -> list[bool]:
        """Return whether the same labels are at or above the threshold."""
        return [not flipped for flipped in self.flipped(np.asarray(answers), np.asarray(before), task)] if len(answers) else []

    def flipped(self, answers: Array, before: Array, task: Task) -> Array:
        """Return whether other labels are at or above the threshold (see Kind.flipped)."""
        return ((answers >= THRESHOLD) != (before >= THRESHOLD)).any(axis=1).astype(np.float64)

    def strata(self, row: Row, task: Task) -> str:
        """Return all labels of the row."""
        return joined(row.labels or ())

    def outcome(self, answers: Any, rows: Sequence[Row], task: Task, favourable: str | None) -> Array | None:
        """Return whether each row has, or gets, the favourable label."""
        if favourable not in task.labels:
            return None
        marks = self._marks(rows, task) if answers is None else answers >= THRESHOLD
        return marks[:, task.labels.index(favourable)].astype(np.float64)

    def show(self, answer: Array, task: Task, settings: Settings) -> str:
        """Return the labels from the threshold on, the likeliest first."""
        given = [(probability, label) for label, probability in zip(task.labels, answer.tolist(), strict=True) if probability >= THRESHOLD]
        return ", ".join(f"{label} {probability:.0%}" for probability, label in sorted(given, key=lambda one: -one[0])) or "none"

    def to_json(self, answer: Array, task: Task, settings: Settings) -> Any:
        """Return the labels from the threshold on, and the probability of each label."""
        probabilities = {label: float(probability) for label, probability in zip(task.labels, answer, strict=True)}
        return {"labels": [label for label in task.labels if probabilities[label] >= THRESHOLD], "probabilities": probabilities}

    def expected(self, row: Row, task: Task) -> str:
        """Return the labels of the row in the order of the task."""
        return ", ".join(label for label in task.labels if label in (row.labels or ())) or "none"

    def _marks(self, rows: Sequence[Row], task: Task) -> Array:
        return self._table([self.target(row, task) or [] for row in rows], task)

    def _table(self, targets: Sequence[Target], task: Task) -> Array:
        return np.array(targets, dtype=np.float64).reshape(-1, len(task.labels)) > 0

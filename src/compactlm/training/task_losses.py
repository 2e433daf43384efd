"""The losses of a task on its targets. Teacher and student share them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from compactlm.bert.folding import fold_scale
from compactlm.tasks.base import Kind, Target, Task

Batch = Mapping[str, torch.Tensor]


class TaskLosses:
    """The losses of a kind of task. Class weights and the standardisation of numbers are computed from the train targets.

    A model that predicts numbers gives standardised numbers until `fold`.
    """

    def __init__(self, kind: Kind, task: Task, targets: Sequence[Target | None]) -> None:
        """Take the kind, the task, and the targets of all train rows."""
        self.kind, self.scale = kind, kind.scale(targets)
        factors = kind.class_weights(targets, task)
        self.class_weights = None if factors is None else torch.tensor(factors)

    def labels(self, targets: Sequence[Target | None], tokens: int) -> torch.Tensor:
        """Return the targets of a batch; see Kind.collate."""
        return self._standardised(torch.from_numpy(self.kind.collate(targets, tokens)))

    def hard(self, logits: torch.Tensor, batch: Batch, focal_gamma: float = 0.0) -> torch.Tensor:
        """Return the loss against the labels; see Kind.hard_loss."""
        weights = None if self.class_weights is None else self.class_weights.to(logits.device)
        return self.kind.hard_loss(logits, batch, focal_gamma, weights)

    def soft(self, logits: torch.Tensor, batch: Batch, temperature: float) -> torch.Tensor:
        """Return the loss against the teacher's outputs; see Kind.soft_loss."""
        if self.scale is not None:
            batch = {**batch, "teacher_logits": self._standardised(batch["teacher_logits"])}
        return self.kind.soft_loss(logits, batch, temperature)

    def fold(self, head: torch.nn.Linear) -> None:
        """Change a trained model so that its numbers are in the units of the data."""
        if self.scale is not None:
            fold_scale(head, *self.scale)

    def unfold(self, head: torch.nn.Linear) -> None:
        """Undo `fold` in a head with a trained model's weights: its numbers are standardised again, as training expects."""
        if self.scale is not None:
            mean, deviation = self.scale
            fold_scale(head, -mean / deviation, 1 / deviation)

    def _standardised(self, values: torch.Tensor) -> torch.Tensor:
        return values if self.scale is None else (values - self.scale[0]) / self.scale[1]

"""The objective of each phase: a weighted sum of soft targets, hard labels and losses between layers."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BertForMaskedLM

from compactlm.bert.task_models import logits_of_body
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.losses.soft_targets import soft_targets_of_top
from compactlm.distillation.signals.online import Batch, position_mask
from compactlm.params import GeneralDistillation, Losses, TaskDistillation
from compactlm.tasks.losses import hard_labels
from compactlm.training.task_losses import TaskLosses


class Objective(torch.nn.Module):
    """The weighted sum of soft targets, hard labels and the losses between layers."""

    def __init__(self, student: Any, layer_losses: LayerLosses, params: Losses) -> None:
        """Take the student, the losses between layers, and the phase's section of params.yaml."""
        super().__init__()
        self.student, self.layer_losses, self.params = student, layer_losses, params
        self.weights = dict(layer_losses.weights)
        self.weights |= {name: weight for name, weight in (("soft", params.soft_weight), ("hard", params.hard_weight)) if weight}

    def forward(self, **batch: torch.Tensor) -> Batch:
        """Return the losses of a batch by name, without their weights, and their weighted sum as `loss`."""
        output = self.student.bert(
            batch["input_ids"],
            attention_mask=batch["attention_mask"],
            token_type_ids=batch.get("token_type_ids"),
            output_hidden_states=True,
            output_attentions=self.layer_losses.needs_attentions,
        )
        logits = self.logits(output, batch)
        losses: Batch = self.layer_losses(output, batch)
        if "soft" in self.weights:
            losses["soft"] = self.soft(logits, batch)
        if "hard" in self.weights:
            losses["hard"] = self.hard(logits, batch)
        total = sum((self.weights[name] * loss for name, loss in losses.items()), output.last_hidden_state.new_zeros(()))
        return {"loss": total, **losses}

    def logits(self, output: Any, batch: Batch) -> torch.Tensor:
        """Return the student's predictions from the output of its body, float [predictions, classes]."""
        raise NotImplementedError

    def soft(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the loss against the teacher's predictions, a scalar."""
        raise NotImplementedError

    def hard(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the loss against the labels, a scalar."""
        raise NotImplementedError


class GeneralObjective(Objective):
    """The objective of general distillation: predict the masked tokens of unlabelled text. See examples.GeneralExamples for the batch."""

    student: BertForMaskedLM
    params: GeneralDistillation

    def __init__(self, student: BertForMaskedLM, layer_losses: LayerLosses, params: GeneralDistillation, temperature: float) -> None:
        """Take what Objective takes, and the temperature of the soft targets."""
        super().__init__(student, layer_losses, params)
        self.temperature = temperature

    def logits(self, output: Any, batch: Batch) -> torch.Tensor:
        """Return the vocabulary logits at the masked tokens."""
        return self.student.cls(output.last_hidden_state[batch["labels"] >= 0])

    def soft(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the divergence from the teacher's likeliest tokens."""
        masked = position_mask(batch["labels"] >= 0)
        values, indices, rest = (batch[f"teacher_{name}"][:, : masked.shape[1]][masked] for name in ("values", "indices", "log_rest"))
        return soft_targets_of_top(logits, values, indices, rest, self.temperature)

    def hard(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy of the original tokens."""
        return hard_labels(logits, batch["labels"][batch["labels"] >= 0], focal_gamma=self.params.focal_gamma)


class TaskObjective(Objective):
    """The objective of a task, on labelled, augmented and unlabelled rows. See examples.TaskExamples for the batch."""

    params: TaskDistillation

    def __init__(self, student: Any, layer_losses: LayerLosses, params: TaskDistillation, losses: TaskLosses) -> None:
        """Take what Objective takes, and the losses of the task."""
        super().__init__(student, layer_losses, params)
        self.losses = losses

    def logits(self, output: Any, batch: Batch) -> torch.Tensor:  # noqa: ARG002 - masks are for the other phase
        """Return the outputs of the task's head."""
        return logits_of_body(self.student, output)

    def soft(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the loss against the teacher's outputs."""
        teacher = batch["teacher_token_logits"] if self.losses.kind.per_token else batch["teacher_logits"]
        return self.losses.soft(logits, {**batch, "teacher_logits": teacher}, self.params.temperature)

    def hard(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the loss against the labels; rows without a label are left out."""
        return self.losses.hard(logits, batch, self.params.focal_gamma)

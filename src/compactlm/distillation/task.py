"""Task distillation: the student learns a task from the fine-tuned teacher, on labelled, augmented and unlabelled rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.batches import pad
from compactlm.distillation.losses.hard_labels import hard_labels
from compactlm.distillation.losses.hidden import hidden_cosine
from compactlm.distillation.losses.soft_targets import soft_targets
from compactlm.distillation.signals import TaskSignals
from compactlm.distillation.training import Batch
from compactlm.params import TaskDistillation


class TaskSequences:
    """Sequences with the teacher's answers, and a label and a weight where they have one."""

    def __init__(self, sequences: Sequence[Sequence[int]], signals: TaskSignals, labels: Sequence[int], weights: Sequence[float]) -> None:
        """Take piece ids, signals in the same order, label ids (-100 for none) and example weights (1 for none)."""
        if not len(sequences) == len(signals.logits) == len(labels) == len(weights):
            raise ValueError("sequences, signals, labels and weights differ in length")
        self.sequences, self.signals = sequences, signals
        self.labels, self.weights = torch.tensor(labels), torch.tensor(weights, dtype=torch.float32)
        self.lengths = [len(sequence) for sequence in sequences]

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return the tensors that TaskObjective takes."""
        rows = list(positions)
        input_ids, attention_mask = pad([self.sequences[row] for row in rows])
        return {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "labels": self.labels[rows],
            "weights": self.weights[rows],
            "teacher_logits": self.signals.logits[rows],
            "teacher_hidden": self.signals.padded_hidden(rows),
        }


class TaskObjective(torch.nn.Module):
    """Soft targets on every row, hard labels on labelled rows, and the cosine of the topmost hidden states at all pieces."""

    def __init__(self, student: BertForSequenceClassification, projections: torch.nn.ModuleList, params: TaskDistillation) -> None:
        """Take the student, one projection for each of its topmost layers that has a signal, and the weights of the losses."""
        super().__init__()
        self.student, self.projections, self.params = student, projections, params

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        weights: torch.Tensor,
        teacher_logits: torch.Tensor,
        teacher_hidden: torch.Tensor,
    ) -> Batch:
        """Return the losses.

        Args:
            input_ids: int64 [rows, pieces].
            attention_mask: [rows, pieces].
            labels: int64 [rows], -100 for none.
            weights: float [rows].
            teacher_logits: float [rows, labels].
            teacher_hidden: float [rows, pieces, layers, teacher's hidden size], the layers in the order of the projections.
        """
        output = self.student(input_ids, attention_mask=attention_mask, output_hidden_states=True)
        topmost = output.hidden_states[-len(self.projections) :]
        pairs = zip(self.projections, topmost, teacher_hidden.unbind(dim=2), strict=True)
        distances = [hidden_cosine(projection(own), theirs, attention_mask) for projection, own, theirs in pairs]
        soft = soft_targets(output.logits, teacher_logits, self.params.temperature, weights)
        hard = hard_labels(output.logits, labels, weights)
        hidden = torch.stack(distances).mean()
        loss = self.params.soft_weight * soft + self.params.hard_weight * hard + self.params.hidden_weight * hidden
        return {"loss": loss, "soft": soft, "hard": hard, "hidden": hidden}


def build_task_student(student: BertForMaskedLM, labels: Sequence[str], seed: int) -> BertForSequenceClassification:
    """Return a classifier with a copy of the general student's body and a new head for these labels."""
    torch.manual_seed(seed)
    config = BertConfig.from_dict(student.config.to_dict())
    config.num_labels = len(labels)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}
    classifier = BertForSequenceClassification(config)
    classifier.bert.load_state_dict(student.bert.state_dict(), strict=False)
    return classifier

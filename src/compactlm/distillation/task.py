"""Task distillation: the student learns a task from the fine-tuned teacher, on labelled, augmented and unlabelled rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.losses.soft_targets import soft_targets
from compactlm.distillation.matching import Matching
from compactlm.distillation.signals.sources import Batch
from compactlm.params import TaskDistillation
from compactlm.training.hard_labels import hard_labels


class TaskObjective(torch.nn.Module):
    """Soft targets on every row, hard labels on labelled rows, and the losses between layers at all tokens."""

    def __init__(self, student: BertForSequenceClassification, matching: Matching, params: TaskDistillation) -> None:
        """Take the student, the losses between layers, and the weights of all."""
        super().__init__()
        self.student, self.matching, self.params = student, matching, params

    def forward(self, **batch: torch.Tensor) -> Batch:
        """Return the losses by name; see examples.TaskExamples.batch for the tensors."""
        student = self.student
        output = student.bert(
            batch["input_ids"],
            attention_mask=batch["attention_mask"],
            output_hidden_states=True,
            output_attentions=self.matching.wants_attentions,
        )
        logits = student.classifier(student.dropout(output.pooler_output))
        losses = self.matching(output, batch)
        loss = losses.pop("matching")
        if self.params.soft_weight:
            losses["soft"] = soft_targets(logits, batch["teacher_logits"], self.params.temperature, batch["weights"])
            loss = loss + self.params.soft_weight * losses["soft"]
        if self.params.hard_weight:
            losses["hard"] = hard_labels(logits, batch["labels"], batch["weights"], self.params.focal_gamma)
            loss = loss + self.params.hard_weight * losses["hard"]
        return {"loss": loss, **losses}


def build_task_student(student: BertForMaskedLM, labels: Sequence[str], seed: int, body: bool = True) -> BertForSequenceClassification:
    """Return a classifier of the general student's shape with a new head for these labels.

    It has a copy of the general student's `body`, or random weights throughout.
    """
    torch.manual_seed(seed)
    config = BertConfig.from_dict(student.config.to_dict())
    config.num_labels = len(labels)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}
    classifier = BertForSequenceClassification(config)
    if body:
        classifier.bert.load_state_dict(student.bert.state_dict(), strict=False)
    return classifier

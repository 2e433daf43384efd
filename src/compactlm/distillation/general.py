"""General distillation: the student learns to read and to fill masks as the teacher does, on unlabelled text."""

from __future__ import annotations

import torch
from transformers import BertForMaskedLM

from compactlm.distillation.losses.soft_targets import soft_targets_of_top
from compactlm.distillation.matching import Matching
from compactlm.distillation.signals.sources import Batch, places
from compactlm.params import GeneralDistillation
from compactlm.training.hard_labels import hard_labels


class GeneralObjective(torch.nn.Module):
    """Soft targets and hard labels at the masked tokens, and the losses between layers at all tokens."""

    def __init__(self, student: BertForMaskedLM, matching: Matching, params: GeneralDistillation, temperature: float) -> None:
        """Take the student, the losses between layers, the weights of all, and the temperature of the soft targets."""
        super().__init__()
        self.student, self.matching, self.params, self.temperature = student, matching, params, temperature

    def forward(self, **batch: torch.Tensor) -> Batch:
        """Return the losses of masked sequences by name; see examples.GeneralExamples.batch for the tensors."""
        where = batch["labels"] >= 0
        output = self.student.bert(
            batch["input_ids"],
            attention_mask=batch["attention_mask"],
            output_hidden_states=True,
            output_attentions=self.matching.wants_attentions,
        )
        logits = self.student.cls(output.last_hidden_state[where])
        losses = self.matching(output, batch)
        loss = losses.pop("matching")
        if self.params.soft_weight:
            there = places(where)
            values, indices, rest = (batch[f"teacher_{name}"][:, : there.shape[1]][there] for name in ("values", "indices", "log_rest"))
            losses["soft"] = soft_targets_of_top(logits, values, indices, rest, self.temperature)
            loss = loss + self.params.soft_weight * losses["soft"]
        if self.params.hard_weight:
            losses["hard"] = hard_labels(logits, batch["labels"][where], focal_gamma=self.params.focal_gamma)
            loss = loss + self.params.hard_weight * losses["hard"]
        return {"loss": loss, **losses}

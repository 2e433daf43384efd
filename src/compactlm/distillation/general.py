"""General distillation: the student learns to read and to fill masks as the teacher does, on unlabelled text."""

from __future__ import annotations

import torch
from transformers import BertForMaskedLM

from compactlm.distillation.losses.hard_labels import hard_labels
from compactlm.distillation.losses.hidden import hidden_cosine
from compactlm.distillation.losses.soft_targets import soft_targets
from compactlm.distillation.signals import MaskedSignals
from compactlm.distillation.training import Batch
from compactlm.params import GeneralDistillation


def build_projections(components: torch.Tensor, count: int) -> torch.nn.ModuleList:
    """Return linear maps from the student's to the teacher's hidden size that start from the embeddings' components.

    Args:
        components: float [student's hidden size, teacher's hidden size].
        count: the number of maps, one for each pair of layers.
    """
    projections = torch.nn.ModuleList()
    for _ in range(count):
        projection = torch.nn.Linear(*components.shape)
        with torch.no_grad():
            projection.weight.copy_(components.T)
            projection.bias.zero_()
        projections.append(projection)
    return projections


class GeneralObjective(torch.nn.Module):
    """Soft targets and hard labels at the masked positions, and the cosine of hidden states at all pieces."""

    def __init__(
        self, student: BertForMaskedLM, signals: MaskedSignals, projections: torch.nn.ModuleList, params: GeneralDistillation
    ) -> None:
        """Take the student, the teacher's signals, one projection a pair of layers, and the weights of the losses."""
        super().__init__()
        self.student, self.signals, self.projections, self.params = student, signals, projections, params

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor) -> Batch:
        """Return the losses of masked sequences; see MaskedSequences.batch for the shapes."""
        where = labels >= 0
        teacher_logits, teacher_hidden = self.signals(input_ids, attention_mask, where)
        output = self.student.bert(input_ids, attention_mask=attention_mask, output_hidden_states=True)
        logits = self.student.cls(output.last_hidden_state[where])
        pairs = zip(self.projections, output.hidden_states, teacher_hidden, strict=True)
        distances = [hidden_cosine(projection(own), theirs, attention_mask) for projection, own, theirs in pairs]
        soft = soft_targets(logits, teacher_logits, self.params.temperature)
        hard = hard_labels(logits, labels[where])
        hidden = torch.stack(distances).mean()
        loss = self.params.soft_weight * soft + self.params.hard_weight * hard + self.params.hidden_weight * hidden
        return {"loss": loss, "soft": soft, "hard": hard, "hidden": hidden}

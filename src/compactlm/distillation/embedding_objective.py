"""The objective of the phase embedding: the losses of sentence vectors."""

from __future__ import annotations

import torch

from compactlm.distillation.embedding_examples import PART_NAMES
from compactlm.distillation.losses.sentences.base import Vectors, unit
from compactlm.distillation.losses.sentences.embedding_losses import EmbeddingLosses
from compactlm.distillation.signals.online import Batch
from compactlm.params import EmbeddingDistillation
from compactlm.student.sentence_student import SentenceStudent


class EmbeddingObjective(torch.nn.Module):
    """The weighted sum of the losses of sentence vectors. See embedding_examples.EmbeddingExamples for the batch."""

    def __init__(self, student: SentenceStudent, params: EmbeddingDistillation, components: torch.Tensor) -> None:
        """Take the student, the section distill.embedding, and the teacher's principal components, float [components, teacher's width]."""
        super().__init__()
        self.student = student
        self.losses = EmbeddingLosses(params, student.dense.out_features, components)

    def forward(self, **batch: torch.Tensor) -> Batch:
        """Return the losses of a batch by name, without their weights, and their weighted sum as `loss`.

        Losses that do not apply to the batch's kind of items are left out.
        """
        names = [name for name in PART_NAMES if f"{name}_ids" in batch]
        own = unit(torch.cat([self.student(batch[f"{name}_ids"], batch[f"{name}_mask"]) for name in names]))
        losses: Batch = self.losses(Vectors(own, batch.get("teacher"), len(names), batch.get("partners")))
        return losses

"""The losses of the phase embedding, by name."""

from __future__ import annotations

import torch

from compactlm.distillation.losses.sentences.base import SentenceLoss, Vectors
from compactlm.distillation.losses.sentences.contrastive import Contrastive, Opposites
from compactlm.distillation.losses.sentences.projected import Components, ProjectedCosine, ProjectedMse
from compactlm.distillation.losses.sentences.similarities import SimilarityKl, SimilarityMse
from compactlm.params import EmbeddingDistillation

# By the key of the loss in params.yaml (params.EmbeddingDistillation).
EMBEDDING_LOSSES: dict[str, type[SentenceLoss]] = {
    "cosine": ProjectedCosine,
    "mse": ProjectedMse,
    "components": Components,
    "similarity_kl": SimilarityKl,
    "similarity_mse": SimilarityMse,
    "contrastive": Contrastive,
    "opposites": Opposites,
}


def embedding_weights(params: EmbeddingDistillation) -> dict[str, float]:
    """Return the weight of each loss that has one."""
    return {name: getattr(params, name).weight for name in EMBEDDING_LOSSES if getattr(params, name).weight}


class EmbeddingLosses(torch.nn.Module):
    """The losses of sentence vectors that have a weight."""

    def __init__(self, params: EmbeddingDistillation, width: int, components: torch.Tensor) -> None:
        """Create the losses; see SentenceLoss for the arguments."""
        super().__init__()
        self.weights = embedding_weights(params)
        self.losses = torch.nn.ModuleDict({name: EMBEDDING_LOSSES[name](getattr(params, name), width, components) for name in self.weights})

    def forward(self, vectors: Vectors) -> dict[str, torch.Tensor]:
        """Return the losses that apply to a batch by name, without their weights, and their weighted sum as `loss`."""
        found = {
            name: loss(vectors)
            for name, loss in self.losses.items()
            if vectors.parts in loss.parts and not (loss.needs_teacher and vectors.teacher is None)  # type: ignore[operator]
        }
        return {"loss": sum((self.weights[name] * loss for name, loss in found.items()), vectors.own.new_zeros(())), **found}

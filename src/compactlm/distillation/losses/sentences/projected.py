"""The student's vectors against the teacher's: through a learned projection, or against its principal components."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from compactlm.distillation.losses.sentences.base import SentenceLoss, Vectors, pad_components, teacher_of, unit


class Projected(SentenceLoss):
    """A distance between a learned projection of the student's vectors and the teacher's. The projection is not part of the student."""

    def __init__(self, params: Any, width: int, components: torch.Tensor) -> None:
        """See SentenceLoss. The projection starts from the teacher's principal components."""
        super().__init__(params, width, components)
        self.projection = torch.nn.Linear(width, components.shape[1])
        with torch.no_grad():
            self.projection.weight.copy_(pad_components(components, width).T)
            self.projection.bias.zero_()

    def forward(self, vectors: Vectors) -> torch.Tensor:
        """Return the mean distance of the batch's texts."""
        return self.distance(self.projection(vectors.own).float(), teacher_of(vectors))

    def distance(self, projected: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        """Return the distance of projected and teacher vectors, each float [rows, teacher's width], as a scalar."""
        raise NotImplementedError


class ProjectedCosine(Projected):
    """One minus the cosine, from 0 to 2."""

    def distance(self, projected: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        """Return one minus the mean cosine."""
        return (1 - functional.cosine_similarity(projected, teacher, dim=-1)).mean()


class ProjectedMse(Projected):
    """The squared distance of the vectors (Reimers and Gurevych 2020, https://arxiv.org/abs/2004.09813)."""

    def distance(self, projected: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        """Return the mean over texts of the squared Euclidean distance. The teacher's vectors have length 1."""
        return (projected - teacher).square().sum(dim=-1).mean()


class Components(SentenceLoss):
    """One minus the cosine of the student's vectors and the teacher's principal components, a target of the student's own width."""

    def __init__(self, params: Any, width: int, components: torch.Tensor) -> None:
        """See SentenceLoss."""
        super().__init__(params, width, components)
        self.register_buffer("directions", pad_components(components, width))

    def forward(self, vectors: Vectors) -> torch.Tensor:
        """Return one minus the mean cosine, from 0 to 2."""
        target = unit(teacher_of(vectors) @ self.directions.T)  # type: ignore[operator]
        return (1 - (vectors.own.float() * target).sum(dim=-1)).mean()

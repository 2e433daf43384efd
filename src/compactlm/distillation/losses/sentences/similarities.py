"""The similarities of the texts of a batch: the student's against the teacher's."""

from __future__ import annotations

import torch

from compactlm.distillation.losses.sentences.base import SentenceLoss, Vectors, teacher_of

LEAST = -1e4  # a logit whose probability is 0 in float32


def similarity_divergence(own: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the Kullback-Leibler divergence between the teacher's and the student's similarities within the batch.

    Each text has a distribution over the other texts of the batch: the softmax of its cosine similarities with them, divided by the
    temperature. Fang et al. 2021 (SEED, https://arxiv.org/abs/2101.04731) use a queue of texts where this loss uses the batch.

    Args:
        own: the student's vectors, float [rows, width], each of length 1.
        teacher: the teacher's vectors, float [rows, teacher's width], each of length 1.
        temperature: divides the similarities of both.

    Returns:
        The mean over rows in nats, a scalar; 0 for a single row.
    """
    alone = torch.eye(len(own), dtype=torch.bool, device=own.device)
    log_own, log_teacher = (((x @ x.T) / temperature).masked_fill(alone, LEAST).log_softmax(dim=-1) for x in (own.float(), teacher.float()))
    return (log_teacher.exp() * (log_teacher - log_own)).sum(dim=-1).mean()


def similarity_error(own: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return the mean squared difference of the cosine similarities of all pairs of different rows; 0 for a single row.

    See `similarity_divergence` for the arguments. Park et al. 2019 (Relational Knowledge Distillation, https://arxiv.org/abs/1904.05068)
    also learn the similarities of a batch.
    """
    difference = own.float() @ own.float().T - teacher.float() @ teacher.float().T
    different = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
    return (difference.square() * different).sum() / different.sum().clamp(min=1)


class SimilarityKl(SentenceLoss):
    """The divergence of the similarities within the batch; see `similarity_divergence`."""

    def forward(self, vectors: Vectors) -> torch.Tensor:
        """Return the divergence of the batch."""
        return similarity_divergence(vectors.own, teacher_of(vectors), self.params.temperature)


class SimilarityMse(SentenceLoss):
    """The squared difference of the similarities within the batch; see `similarity_error`."""

    def forward(self, vectors: Vectors) -> torch.Tensor:
        """Return the error of the batch."""
        return similarity_error(vectors.own, teacher_of(vectors))

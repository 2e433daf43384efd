"""Contrastive losses: texts that belong together against all other texts of the batch, and right texts against wrong ones."""

from __future__ import annotations

import torch
from torch.nn import functional

from compactlm.distillation.losses.sentences.base import SentenceLoss, Vectors
from compactlm.distillation.losses.sentences.similarities import LEAST


def in_batch_contrast(first: torch.Tensor, second: torch.Tensor, temperature: float, partners: torch.Tensor | None = None) -> torch.Tensor:
    """Return the cross-entropy of finding each text's partner among the partners of all pairs, in both directions.

    This is InfoNCE (van den Oord et al. 2018, https://arxiv.org/abs/1807.03748) with the other pairs of the batch as negatives.

    Args:
        first: vectors of the first texts, float [pairs, width], each of length 1.
        second: vectors of the second texts, of the same shape.
        temperature: divides the cosine similarities.
        partners: a number for each second text, int64 [pairs]. Pairs with equal second texts do not serve as negatives of each other.

    Returns:
        The mean over pairs and directions in nats, a scalar; 0 for a single pair.
    """
    scores = first.float() @ second.float().T / temperature
    if partners is not None:
        own = torch.eye(len(partners), dtype=torch.bool, device=scores.device)
        scores = scores.masked_fill((partners[:, None] == partners[None, :]) & ~own, LEAST)
    right = torch.arange(len(scores), device=scores.device)
    return (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2


def opposite_contrast(anchor: torch.Tensor, right: torch.Tensor, wrong: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the cross-entropy of choosing the right text over the wrong one: a triplet loss on a logistic scale.

    Args:
        anchor: vectors, float [triples, width], each of length 1.
        right: vectors of the texts with the same meaning, of the same shape.
        wrong: vectors of the texts with the opposite meaning, of the same shape.
        temperature: divides the cosine similarities.

    Returns:
        The mean over triples in nats, a scalar; log 2 if both texts are equally near.
    """
    difference = ((anchor.float() * (right.float() - wrong.float())).sum(dim=-1)) / temperature
    return functional.softplus(-difference).mean()


class Contrastive(SentenceLoss):
    """Pairs of texts that belong together; see `in_batch_contrast`."""

    needs_teacher, parts = False, (2,)

    def forward(self, vectors: Vectors) -> torch.Tensor:
        """Return the contrast of the batch's pairs."""
        first, second = vectors.texts()
        return in_batch_contrast(first, second, self.params.temperature, vectors.partners)


class Opposites(SentenceLoss):
    """Triples of an anchor, a right and a wrong text; see `opposite_contrast`."""

    needs_teacher, parts = False, (3,)

    def forward(self, vectors: Vectors) -> torch.Tensor:
        """Return the contrast of the batch's triples."""
        anchor, right, wrong = vectors.texts()
        return opposite_contrast(anchor, right, wrong, self.params.temperature)

"""Embeddings: how far the student's projected embedding output is from the teacher's."""

from __future__ import annotations

import torch

from compactlm.distillation.losses.hidden import HIDDEN_DISTANCES, HiddenKind


def embedding_distance(
    student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, kind: HiddenKind = "mse", weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Distance of the vectors that enter the first layer (the embedding loss of Jiao et al. 2020, TinyBERT, where it is "mse").

    Args:
        student: hidden state 0, projected, float [rows, tokens, teacher's hidden size].
        teacher: hidden state 0, the same shape.
        mask: 1 where there is a token, [rows, tokens].
        kind: a distance of hidden states.
        weights: float [rows], or None for 1.

    Returns:
        The mean over tokens, a scalar.
    """
    return HIDDEN_DISTANCES[kind](student, teacher, mask, weights)

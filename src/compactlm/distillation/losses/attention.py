"""Attention transfer: the student's heads learn to attend to the same tokens as the teacher's heads."""

from __future__ import annotations

from typing import Any

import torch

from compactlm.distillation.losses.base import LayerLoss
from compactlm.distillation.signals.online import Batch, require_attentions
from compactlm.errors import CompactLMError


def attention_mse(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Return the mean squared difference of attention probabilities, head by head (Jiao et al. 2020, TinyBERT).

    TinyBERT compares the scores before their softmax, but transformers returns only probabilities. In training these are taken after
    dropout, so the student's attention dropout adds noise to this loss.

    Args:
        student: attention probabilities of a layer, float [rows, heads, tokens, tokens], queries before keys.
        teacher: the same shape.
        mask: 1 where there is a token, [rows, tokens].
        weights: float [rows], or None for 1.

    Returns:
        The mean over rows, heads and pairs of tokens, each row times its weight; a scalar.

    Raises:
        CompactLMError: the numbers of heads differ.
    """
    heads = student.shape[1]
    if heads != teacher.shape[1]:
        raise CompactLMError(
            f"attention transfer needs equal numbers of heads, but the student has {heads} and the teacher {teacher.shape[1]}; "
            "set student.attention_heads to the teacher's number, or use relations instead of attention"
        )
    pairs = (mask[:, :, None] * mask[:, None, :]).unsqueeze(1)
    counted = pairs if weights is None else pairs * weights[:, None, None, None]
    return ((student.float() - teacher.detach().float()).square() * counted).sum() / (pairs.sum() * heads)


class Attentions(LayerLoss):
    """Mean squared difference of the attention probabilities of paired layers."""

    needs_attentions = True

    def compare(self, own: int, theirs: int, output: Any, batch: Batch) -> torch.Tensor:
        """Return the difference of a pair of layers."""
        attentions = require_attentions(output.attentions, "student")
        return attention_mse(attentions[own - 1], batch["teacher_attentions"][:, theirs - 1], batch["attention_mask"], batch.get("weights"))

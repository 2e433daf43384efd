"""Attention transfer: the student's heads attend to the tokens that the teacher's heads attend to."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from compactlm.errors import CompactLMError


def require_attentions(attentions: Sequence[torch.Tensor] | None, side: str) -> tuple[torch.Tensor, ...]:
    """Return a model output's attention probabilities, a layer each, if it has any.

    Args:
        attentions: what the output has as `attentions`.
        side: whose they are, "student" or "teacher", for the message.

    Raises:
        CompactLMError: there is none.
    """
    if not attentions:
        raise CompactLMError(
            f"the {side} gave no attention probabilities, which attention transfer compares; call it with output_attentions=True "
            "and load it with attn_implementation='eager', since the default implementation, 'sdpa', returns none"
        )
    return tuple(attentions)


def attention_mse(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared difference of attention probabilities, head by head (the attention loss of Jiao et al. 2020, TinyBERT).

    TinyBERT itself compares the scores before their softmax, which transformers does not return. In training it returns the
    probabilities after dropout, so a student's attention dropout is noise in this loss.

    Args:
        student: attention probabilities of a layer, float [rows, heads, tokens, tokens], queries before keys.
        teacher: the same shape.
        mask: 1 where there is a token, [rows, tokens].
        weights: float [rows], or None for 1.

    Returns:
        The mean over rows, heads, and pairs of a query and a key that are both tokens, each row's times its weight; a scalar.

    Raises:
        CompactLMError: the numbers of heads differ.
    """
    heads = student.shape[1]
    if heads != teacher.shape[1]:
        raise CompactLMError(
            f"attention transfer pairs the heads, but the student has {heads} and the teacher {teacher.shape[1]}; "
            "give the student as many attention heads as the teacher, or distil relations in place of attentions"
        )
    pairs = (mask[:, :, None] * mask[:, None, :]).unsqueeze(1)
    counted = pairs if weights is None else pairs * weights[:, None, None, None]
    return ((student.float() - teacher.detach().float()).square() * counted).sum() / (pairs.sum() * heads)

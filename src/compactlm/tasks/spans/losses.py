"""Losses of answers in passages: the mean of that of starts and that of ends, both over all tokens of a window."""

from __future__ import annotations

import torch

from compactlm.tasks.losses import hard_labels, soft_targets

PADDING = -1e6  # a logit without probability; not -inf, because its product with a probability of 0 is nan


def hard_spans(
    logits: torch.Tensor,
    spans: torch.Tensor,
    attention_mask: torch.Tensor,
    weights: torch.Tensor | None = None,
    focal_gamma: float = 0.0,
) -> torch.Tensor:
    """Return the mean cross-entropy of starts and ends; see hard_labels.

    Args:
        logits: of starts and ends, float [rows, tokens, 2].
        spans: the first and the last token of the answer, int64 [rows, 2]; IGNORED for unlabelled rows.
        attention_mask: 0 for padding, [rows, tokens].
        weights: of the rows, float [rows], or None for 1.
        focal_gamma: the exponent of the focal loss.
    """
    columns = [hard_labels(column, spans[:, side], weights, focal_gamma) for side, column in enumerate(_columns(logits, attention_mask))]
    return torch.stack(columns).mean()


def soft_spans(
    student: torch.Tensor, teacher: torch.Tensor, attention_mask: torch.Tensor, temperature: float, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the divergence from the teacher's distributions over starts and over ends; see soft_targets and hard_spans."""
    pairs = zip(_columns(student, attention_mask), _columns(teacher, attention_mask), strict=True)
    return torch.stack([soft_targets(own, theirs, temperature, weights) for own, theirs in pairs]).mean()


def _columns(logits: torch.Tensor, attention_mask: torch.Tensor) -> list[torch.Tensor]:
    """Return the logits of starts and those of ends, both [rows, tokens], so low at padding that it has no probability."""
    return list(logits.float().masked_fill(attention_mask[:, :, None] == 0, PADDING).unbind(dim=2))

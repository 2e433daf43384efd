"""Losses of a tagger: those of classes at the first token of each word."""

from __future__ import annotations

import torch

from compactlm.tasks.base import IGNORED
from compactlm.tasks.losses import hard_labels, soft_targets


def hard_tags(
    logits: torch.Tensor,
    tags: torch.Tensor,
    weights: torch.Tensor | None = None,
    focal_gamma: float = 0.0,
    class_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the mean cross-entropy of the tags; see hard_labels.

    Args:
        logits: float [rows, tokens, tags].
        tags: int64 [rows, tokens]; words with a negative one are left out.
        weights: of the rows, float [rows], or None for 1.
        focal_gamma: the exponent of the focal loss.
        class_weights: a factor for each tag, float [tags], or None for 1.
    """
    tagged = tags >= 0
    return hard_labels(logits[tagged], tags[tagged], _of_tokens(weights, tagged), focal_gamma, class_weights)


def soft_tags(
    student: torch.Tensor, teacher: torch.Tensor, tags: torch.Tensor, temperature: float, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the divergence from the teacher's distribution over tags, the mean over words; see soft_targets.

    Args:
        student: logits, float [rows, tokens, tags].
        teacher: logits, float [rows, tokens, tags].
        tags: int64 [rows, tokens], IGNORED at tokens that are not the first of a word.
        temperature: divides both logits.
        weights: of the rows, float [rows], or None for 1.
    """
    words = tags != IGNORED
    return soft_targets(student[words], teacher[words], temperature, _of_tokens(weights, words))


def _of_tokens(weights: torch.Tensor | None, chosen: torch.Tensor) -> torch.Tensor | None:
    """Return the weight of the row of each chosen token."""
    return None if weights is None else weights[:, None].expand_as(chosen)[chosen]

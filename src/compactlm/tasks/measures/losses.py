"""Losses of numbers: independent labels and scores. Losses of classes are in compactlm.tasks.losses."""

from __future__ import annotations

import torch
from torch.nn import functional

from compactlm.tasks.losses import LEAST_ERROR


def binary_cross_entropy(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None = None,
    focal_gamma: float = 0.0,
    positive_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the mean over labelled rows and labels of the binary cross-entropy, in nats; 0 if no row is labelled.

    Args:
        logits: float [rows, labels].
        targets: probabilities, float [rows, labels]; nan for unlabelled rows.
        weights: of the rows, float [rows], or None for 1.
        focal_gamma: multiplies each term by its error to this power (Lin et al. 2017); 0 is plain cross-entropy.
        positive_weights: a factor for the rows that have a label, float [labels], or None for 1.
    """
    known = torch.isfinite(targets)
    wanted = torch.where(known, targets, 0.0)
    factor = None if positive_weights is None else positive_weights.to(logits.device, torch.float32)
    each = functional.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none", pos_weight=factor)
    if focal_gamma:
        error = (torch.sigmoid(logits.float()) - wanted).abs()
        each = error.clamp(min=LEAST_ERROR) ** focal_gamma * each
    if weights is not None:
        each = each * weights[:, None]
    return (each * known).sum() / known.sum().clamp(min=1)


def soft_binary_cross_entropy(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the binary cross-entropy of the teacher's softened probabilities, times the squared temperature (Hinton et al. 2015).

    Args:
        student: logits, float [rows, labels].
        teacher: logits, float [rows, labels].
        temperature: divides both logits.
        weights: of the rows, float [rows], or None for 1.
    """
    targets = torch.sigmoid(teacher.detach().float() / temperature)
    return binary_cross_entropy(student.float() / temperature, targets, weights) * temperature**2


def squared_error(scores: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Return the mean squared error of scores, float [rows, 1], over the rows whose target is not nan; 0 without such rows."""
    aims = targets.detach().float().reshape(-1)
    known = torch.isfinite(aims)
    each = (scores.float().reshape(-1) - torch.where(known, aims, 0.0)) ** 2
    if weights is not None:
        each = each * weights
    return (each * known).sum() / known.sum().clamp(min=1)

"""Losses of classes: cross-entropy against labels, and divergence from a teacher's distribution. The one module of tasks with torch."""

from __future__ import annotations

import torch
from torch.nn import functional

LEAST_ERROR = 1e-12  # a lower bound far below the precision of float32


def hard_labels(
    student: torch.Tensor,
    labels: torch.Tensor,
    weights: torch.Tensor | None = None,
    focal_gamma: float = 0.0,
    class_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the mean cross-entropy, each row times its weight. Rows with the label -100 are ignored.

    With a `focal_gamma` each row is also multiplied by (1 - p)^gamma, where p is the student's probability of the label (Lin et al. 2017).

    Args:
        student: logits, float [rows, classes].
        labels: int64 [rows].
        weights: float [rows], or None for 1.
        focal_gamma: 0 or more; 0 is plain cross-entropy.
        class_weights: a factor for the rows of each label, float [classes], or None for 1.

    Returns:
        The weighted mean over labelled rows in nats, a scalar; 0 if no row is labelled.
    """
    labelled = labels >= 0
    each = functional.cross_entropy(student.float(), labels, reduction="none", ignore_index=-100)
    if focal_gamma:
        # 1 - p without rounding near p = 1, and never 0, where a power below 1 has no finite slope.
        error = -torch.expm1(-each)
        each = error.clamp(min=LEAST_ERROR) ** focal_gamma * each
    if class_weights is not None:
        each = each * class_weights.to(each)[labels.clamp(min=0)]
    if weights is not None:
        each = each * weights
    return each.sum() / labelled.sum().clamp(min=1)


def soft_targets(student: torch.Tensor, teacher: torch.Tensor, temperature: float, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Return the Kullback-Leibler divergence of softened distributions, times the squared temperature (Hinton et al. 2015).

    Args:
        student: logits, float [rows, classes].
        teacher: logits, float [rows, classes].
        temperature: divides both logits. Its square preserves the size of the gradient.
        weights: float [rows], or None for 1.

    Returns:
        The mean over rows in nats, a scalar; 0 without rows.
    """
    log_student = functional.log_softmax(student.float() / temperature, dim=-1)
    log_teacher = functional.log_softmax(teacher.detach().float() / temperature, dim=-1)
    divergence = functional.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=-1)
    if weights is not None:
        divergence = divergence * weights
    return divergence.sum() / max(len(divergence), 1) * temperature**2

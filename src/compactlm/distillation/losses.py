"""The losses of distillation, each a small function of tensors."""

from __future__ import annotations

import torch
from torch.nn import functional


def soft_targets(student: torch.Tensor, teacher: torch.Tensor, temperature: float, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Kullback-Leibler divergence of softened distributions, times the temperature squared (Hinton et al. 2015).

    Args:
        student: logits, float [rows, classes].
        teacher: logits, float [rows, classes].
        temperature: divides both logits; its square keeps the gradient's size.
        weights: float [rows], or None for 1.

    Returns:
        The mean over rows, a scalar; 0 where there is none.
    """
    log_student = functional.log_softmax(student.float() / temperature, dim=-1)
    log_teacher = functional.log_softmax(teacher.float() / temperature, dim=-1)
    divergence = functional.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=-1)
    if weights is not None:
        divergence = divergence * weights
    return divergence.sum() / max(len(divergence), 1) * temperature**2


def hard_labels(student: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy, each row times its weight; rows with label -100 are passed over.

    Args:
        student: logits, float [rows, classes].
        labels: int64 [rows].
        weights: float [rows], or None for 1.

    Returns:
        The weighted mean over labelled rows, a scalar; 0 where no row is labelled.
    """
    labelled = labels >= 0
    each = functional.cross_entropy(student.float(), labels, reduction="none", ignore_index=-100)
    if weights is not None:
        each = each * weights
    return each.sum() / labelled.sum().clamp(min=1)


def hidden_cosine(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One minus the cosine of projected student and teacher vectors (the cosine loss of Sanh et al. 2019, DistilBERT).

    Args:
        student: float [rows, pieces, teacher's hidden size].
        teacher: the same shape.
        mask: 1 where there is a piece, [rows, pieces].

    Returns:
        The mean over pieces, a scalar.
    """
    distance = 1 - functional.cosine_similarity(student.float(), teacher.float(), dim=-1)
    return (distance * mask).sum() / mask.sum()

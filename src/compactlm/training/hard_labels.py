"""Hard labels: cross-entropy, which can count the rows that are already right for less."""

from __future__ import annotations

import torch
from torch.nn import functional

LEAST_ERROR = 1e-12  # far below what float32 tells from 0


def hard_labels(student: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None, focal_gamma: float = 0.0) -> torch.Tensor:
    """Cross-entropy, each row times its weight; rows with label -100 are passed over.

    With a `focal_gamma` each row also counts (1 - p)^gamma, p the student's probability of its label (Lin et al. 2017).

    Args:
        student: logits, float [rows, classes].
        labels: int64 [rows].
        weights: float [rows], or None for 1.
        focal_gamma: 0 or more; 0 is cross-entropy itself.

    Returns:
        The weighted mean over labelled rows in nats, a scalar; 0 where no row is labelled.
    """
    labelled = labels >= 0
    each = functional.cross_entropy(student.float(), labels, reduction="none", ignore_index=-100)
    if focal_gamma:
        # 1 - p without the rounding of p near 1, and never 0: below 1 the power has no finite slope there.
        error = -torch.expm1(-each)
        each = error.clamp(min=LEAST_ERROR) ** focal_gamma * each
    if weights is not None:
        each = each * weights
    return each.sum() / labelled.sum().clamp(min=1)

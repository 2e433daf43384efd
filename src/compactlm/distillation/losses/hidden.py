"""Hidden states: how far the student's projected vectors are from the teacher's, in direction or in all units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch.nn import functional

HiddenDistance = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
HiddenKind = Literal["cosine", "mse"]


def hidden_cosine(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One minus the cosine of projected student and teacher vectors (the cosine loss of Sanh et al. 2019, DistilBERT).

    Args:
        student: float [rows, pieces, teacher's hidden size].
        teacher: the same shape.
        mask: 1 where there is a piece, [rows, pieces].

    Returns:
        The mean over pieces, a scalar from 0 to 2.
    """
    return _mean(1 - functional.cosine_similarity(student.float(), teacher.detach().float(), dim=-1), mask)


def hidden_mse(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of projected student and teacher vectors (the hidden loss of Jiao et al. 2020, TinyBERT).

    Args:
        student: float [rows, pieces, teacher's hidden size].
        teacher: the same shape.
        mask: 1 where there is a piece, [rows, pieces].

    Returns:
        The mean over pieces of the mean over units, a scalar in the teacher's units squared.
    """
    return _mean((student.float() - teacher.detach().float()).square().mean(dim=-1), mask)


def _mean(distance: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (distance * mask).sum() / mask.sum()


HIDDEN_DISTANCES: dict[HiddenKind, HiddenDistance] = {"cosine": hidden_cosine, "mse": hidden_mse}

"""Hidden states: how far the student's projected vectors are from the teacher's, in direction or in all units."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch.nn import functional

HiddenKind = Literal["cosine", "mse"]


class HiddenDistance(Protocol):
    """A distance of hidden states."""

    def __call__(
        self, student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the mean over tokens, each row's times its weight."""
        ...


def hidden_cosine(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """One minus the cosine of projected student and teacher vectors (the cosine loss of Sanh et al. 2019, DistilBERT).

    Args:
        student: float [rows, tokens, teacher's hidden size].
        teacher: the same shape.
        mask: 1 where there is a token, [rows, tokens].
        weights: float [rows], or None for 1.

    Returns:
        The mean over tokens, a scalar; from 0 to 2 without weights.
    """
    return _mean(1 - functional.cosine_similarity(student.float(), teacher.detach().float(), dim=-1), mask, weights)


def hidden_mse(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared difference of projected student and teacher vectors (the hidden loss of Jiao et al. 2020, TinyBERT).

    Args:
        student: float [rows, tokens, teacher's hidden size].
        teacher: the same shape.
        mask: 1 where there is a token, [rows, tokens].
        weights: float [rows], or None for 1.

    Returns:
        The mean over tokens of the mean over units, a scalar in the teacher's units squared.
    """
    return _mean((student.float() - teacher.detach().float()).square().mean(dim=-1), mask, weights)


def _mean(distance: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    counted = mask if weights is None else mask * weights[:, None]
    return (distance * counted).sum() / mask.sum()


HIDDEN_DISTANCES: dict[HiddenKind, HiddenDistance] = {"cosine": hidden_cosine, "mse": hidden_mse}

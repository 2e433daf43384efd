"""Hidden states: the distance between the student's projected vectors and the teacher's vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from compactlm.distillation.losses.base import Bodies, LayerLoss
from compactlm.distillation.signals.online import Batch
from compactlm.shapes.layers import LayerPairs


def hidden_cosine(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Return one minus the cosine of projected student and teacher vectors (the cosine loss of Sanh et al. 2019, DistilBERT).

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
    """Return the mean squared difference of projected student and teacher vectors (Jiao et al. 2020, TinyBERT).

    See `hidden_cosine` for the arguments. The result is the mean over tokens and units, a scalar in the teacher's units squared.
    """
    return _mean((student.float() - teacher.detach().float()).square().mean(dim=-1), mask, weights)


def _mean(distance: torch.Tensor, mask: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    counted = mask if weights is None else mask * weights[:, None]
    return (distance * counted).sum() / mask.sum()


HIDDEN_DISTANCES = {"cosine": hidden_cosine, "mse": hidden_mse}


def build_projection(components: torch.Tensor) -> torch.nn.Linear:
    """Return a linear map that starts from the components, float [student's hidden size, teacher's hidden size]."""
    projection = torch.nn.Linear(*components.shape)
    with torch.no_grad():
        projection.weight.copy_(components.T)
        projection.bias.zero_()
    return projection


class HiddenStates(LayerLoss):
    """Distance of hidden states through learned projections, which are not part of the student.

    With the pair (0, 0) alone it is the embedding loss of Jiao et al. 2020 (TinyBERT).
    """

    def __init__(self, params: Any, pairs: LayerPairs, bodies: Bodies) -> None:
        """See LayerLoss; `params` has the key `distance`."""
        super().__init__(params, pairs, bodies)
        self.projections = torch.nn.ModuleDict({f"{own}-{theirs}": build_projection(bodies.components) for own, theirs in pairs})

    def compare(self, own: int, theirs: int, output: Any, batch: Batch) -> torch.Tensor:
        """Return the distance of a pair of layers."""
        projected = self.projections[f"{own}-{theirs}"](output.hidden_states[own])
        distance = HIDDEN_DISTANCES[self.params.distance]
        return distance(projected, self.teacher_states(batch, theirs), batch["attention_mask"], batch.get("weights"))

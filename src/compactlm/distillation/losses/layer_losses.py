"""The losses between layers of a phase: hidden states, embeddings, relations and attentions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from compactlm.distillation.losses.attention import Attentions
from compactlm.distillation.losses.base import Bodies, LayerLoss
from compactlm.distillation.losses.hidden import HiddenStates
from compactlm.distillation.losses.relations import Relations
from compactlm.distillation.signals.online import Batch
from compactlm.params import Losses
from compactlm.shapes.layers import FIRST, LayerPairs, Shape, check_losses, find_pairs

# By the key of the loss in params.yaml (params.Losses). shapes.layers.FIRST gives the lowest layer of those with a layer map.
LAYER_LOSSES: dict[str, type[LayerLoss]] = {
    "hidden": HiddenStates,
    "embeddings": HiddenStates,
    "relations": Relations,
    "attention": Attentions,
}


class LayerLosses(torch.nn.Module):
    """The losses between layers that have a weight. They hold learned projections that are not part of the student."""

    def __init__(self, student: Any, teacher: Any, kept: Sequence[int], components: torch.Tensor, params: Losses) -> None:
        """Create the losses of a phase. `params` is the phase's section of params.yaml; see Bodies for the other arguments.

        Raises:
            CompactLMError: a loss has no layer to learn from, or the relation heads do not divide a hidden size.
        """
        super().__init__()
        own, theirs = Shape.of(student.config), Shape.of(teacher.config)
        check_losses("distill", params, own, theirs, kept)
        self.kept, self.pairs, self.unused = list(kept), dict[str, LayerPairs](), dict[str, LayerPairs]()
        self.weights = {name: getattr(params, name).weight for name in LAYER_LOSSES if getattr(params, name).weight}
        for name in self.weights:
            self.pairs[name], self.unused[name] = [(0, 0)], []
            if name in FIRST:
                self.pairs[name], self.unused[name] = find_pairs(name, getattr(params, name).layers, own.layers, theirs.layers, kept)
        bodies = Bodies(student, teacher, self.kept, components)
        self.losses = torch.nn.ModuleDict(
            {name: LAYER_LOSSES[name](getattr(params, name), pairs, bodies) for name, pairs in self.pairs.items()}
        )

    def describe(self) -> list[str]:
        """Return one sentence for each loss that has pairs of layers without signals."""
        return [
            f"{name} learns from the layers {_listed(self.pairs[name])} (student-teacher) and not from {_listed(unused)}, "
            f"because signals.layers holds {self.kept}"
            for name, unused in self.unused.items()
            if unused
        ]

    @property
    def needs_attentions(self) -> bool:
        """Whether the student must return attention probabilities."""
        return any(LAYER_LOSSES[name].needs_attentions for name in self.weights)

    def forward(self, output: Any, batch: Batch) -> Batch:
        """Return the losses by name, without their weights; see LayerLoss.forward for the arguments."""
        return {name: loss(output, batch) for name, loss in self.losses.items()}

    def close(self) -> None:
        """Remove whatever the losses attached to the student."""
        for loss in self.losses.values():
            loss.close()  # type: ignore[operator]


def _listed(pairs: LayerPairs) -> str:
    return ", ".join(f"{own}-{theirs}" for own, theirs in pairs)

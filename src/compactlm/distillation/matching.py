"""Losses on what happens inside the models: hidden states, embeddings, relations and attentions of paired layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from compactlm.distillation.losses.attention import attention_mse, require_attentions
from compactlm.distillation.losses.embeddings import embedding_distance
from compactlm.distillation.losses.hidden import HIDDEN_DISTANCES
from compactlm.distillation.losses.relations import StateRecorder, relation_loss, teacher_states
from compactlm.distillation.signals.sources import Batch
from compactlm.params import Losses
from compactlm.shapes.layers import FIRST, LayerPairs, Shape, check_losses, find_pairs


def build_projection(components: torch.Tensor) -> torch.nn.Linear:
    """Return a linear map from the student's to the teacher's hidden size that starts from the principal components.

    Args:
        components: float [student's hidden size, teacher's hidden size].
    """
    projection = torch.nn.Linear(*components.shape)
    with torch.no_grad():
        projection.weight.copy_(components.T)
        projection.bias.zero_()
    return projection


def _listed(pairs: LayerPairs) -> str:
    return ", ".join(f"{own}-{theirs}" for own, theirs in pairs)


class Matching(torch.nn.Module):
    """The weighted sum of the losses between layers, each a mean over its pairs of layers.

    It holds the learned projections, which are no part of the student, and is asked after each forward of the student.
    """

    def __init__(self, student: Any, teacher: Any, kept: Sequence[int], components: torch.Tensor, params: Losses) -> None:
        """Take both bodies (BertModel), the teacher's layers that have signals, the principal components, and the weights.

        Raises:
            CompactLMError: a loss has a weight but no layer that it could learn from, or the relation heads do not divide a hidden size.
        """
        super().__init__()
        self.params, self.kept = params, list(kept)
        own, theirs = Shape.of(student.config), Shape.of(teacher.config)
        check_losses("distill", params, own, theirs, self.kept)
        self.pairs: dict[str, LayerPairs] = {}
        self.unused: dict[str, LayerPairs] = {}  # pairs of a named layer map whose signals are not kept
        for name in FIRST:
            if getattr(params, name).weight:
                layers = getattr(params, name).layers
                self.pairs[name], self.unused[name] = find_pairs(name, layers, own.layers, theirs.layers, self.kept)
        self.hidden, self.related, self.attended = (self.pairs.get(name, []) for name in FIRST)
        self.projections = torch.nn.ModuleDict({f"{own}-{theirs}": build_projection(components) for own, theirs in self.hidden})
        if params.embeddings.weight:
            self.projections["embeddings"] = build_projection(components)
        # Only queries, keys and values of the teacher are needed, and these are not trained; a list hides them from the optimizer.
        self.teacher_layers = [teacher.encoder.layer[theirs - 1] for _, theirs in self.related]
        self.recorder = StateRecorder(student, [own - 1 for own, _ in self.related])

    def describe(self) -> list[str]:
        """Return a sentence for each loss that learns from some pairs of its layer map and not from all."""
        return [
            f"{loss} learns from the layers {_listed(self.pairs[loss])} (student-teacher) and not from {_listed(unused)}, "
            f"since signals.layers holds {self.kept}"
            for loss, unused in self.unused.items()
            if unused
        ]

    @property
    def wants_attentions(self) -> bool:
        """Whether the student must be run with output_attentions."""
        return self.params.attention.weight > 0

    def forward(self, output: Any, batch: Batch) -> Batch:
        """Return the losses by name, and their weighted sum as `matching`; without any, that is 0.

        Args:
            output: of the student's body, with hidden states.
            batch: attention_mask, teacher_states, for attention transfer teacher_attentions (see signals.SignalSource), and, where
                rows have weights, these; a row's weight multiplies all that it adds to a loss.
        """
        mask, rows, losses, weights = batch["attention_mask"], batch.get("weights"), {}, {}
        if self.hidden:
            distance = HIDDEN_DISTANCES[self.params.hidden.distance]
            states = batch["teacher_states"]
            each = [
                distance(self.projections[f"{own}-{theirs}"](output.hidden_states[own]), states[:, :, self.kept.index(theirs)], mask, rows)
                for own, theirs in self.hidden
            ]
            losses["hidden"], weights["hidden"] = torch.stack(each).mean(), self.params.hidden.weight
        if self.params.embeddings.weight:
            own_states = self.projections["embeddings"](output.hidden_states[0])
            theirs_states = batch["teacher_states"][:, :, self.kept.index(0)]
            losses["embeddings"] = embedding_distance(own_states, theirs_states, mask, self.params.embeddings.distance, rows)
            weights["embeddings"] = self.params.embeddings.weight
        if self.related:
            losses["relations"], weights["relations"] = self._relations(batch), self.params.relations.weight
        if self.wants_attentions:
            own_attentions = require_attentions(output.attentions, "student")
            each = [
                attention_mse(own_attentions[own - 1], batch["teacher_attentions"][:, theirs - 1], mask, rows)
                for own, theirs in self.attended
            ]
            losses["attention"], weights["attention"] = torch.stack(each).mean(), self.params.attention.weight
        total = sum((weights[name] * loss for name, loss in losses.items()), output.last_hidden_state.new_zeros(()))
        return {**losses, "matching": total}

    def _relations(self, batch: Batch) -> torch.Tensor:
        mask, heads, rows, each = batch["attention_mask"], self.params.relations.heads, batch.get("weights"), []
        for (own, theirs), layer in zip(self.related, self.teacher_layers, strict=True):
            entering = batch["teacher_states"][:, :, self.kept.index(theirs - 1)]
            states = teacher_states(layer.to(entering.device), entering)
            each.append(relation_loss(self.recorder.take(own - 1), states, mask, heads, rows))
        return torch.stack(each).mean()

"""The base class of losses between layers. A new loss is a subclass of LayerLoss and a line in layer_losses.LAYER_LOSSES."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch

from compactlm.distillation.signals.online import Batch
from compactlm.shapes.layers import LayerPairs


@dataclasses.dataclass(frozen=True)
class Bodies:
    """The two models of a phase.

    Attributes:
        student: its body, a BertModel.
        teacher: its body, a BertModel.
        kept: the teacher's layers whose hidden states are signals, in the order of the signals.
        components: the student's directions in the teacher's hidden states, float [student's hidden size, teacher's hidden size].
    """

    student: Any
    teacher: Any
    kept: Sequence[int]
    components: torch.Tensor


class LayerLoss(torch.nn.Module):
    """A loss that compares pairs of layers. It is the mean over its pairs.

    A row's weight multiplies the row's whole contribution to the loss.
    """

    needs_attentions = False  # whether the student must return attention probabilities

    def __init__(self, params: Any, pairs: LayerPairs, bodies: Bodies) -> None:
        """Take the loss's section of params.yaml, the pairs of a student's and a teacher's layer, and both models."""
        super().__init__()
        self.params, self.pairs, self.kept = params, pairs, list(bodies.kept)

    def compare(self, own: int, theirs: int, output: Any, batch: Batch) -> torch.Tensor:
        """Return the loss of one pair of layers; see `forward` for the arguments."""
        raise NotImplementedError

    def forward(self, output: Any, batch: Batch) -> torch.Tensor:
        """Return the mean loss over all pairs, a scalar.

        Args:
            output: the output of the student's body, with hidden states and, if `needs_attentions`, attentions.
            batch: attention_mask, the teacher's signals (see signals.sources), and optionally `weights` of the rows.
        """
        return torch.stack([self.compare(own, theirs, output, batch) for own, theirs in self.pairs]).mean()

    def teacher_states(self, batch: Batch, layer: int) -> torch.Tensor:
        """Return the hidden states of a teacher's layer that the signals include, float [rows, tokens, teacher's hidden size]."""
        return batch["teacher_states"][:, :, self.kept.index(layer)]

    def close(self) -> None:
        """Remove whatever the loss attached to the student."""

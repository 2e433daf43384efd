"""Relations: how similar the queries, keys and values of a layer are to each other. Widths and heads of the models may differ.

Functions here name a layer by its index in the encoder, from 0. Its input is hidden state `layer`, its output hidden state `layer` + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from compactlm.distillation.losses.base import Bodies, LayerLoss
from compactlm.distillation.signals.online import Batch
from compactlm.shapes.layers import LayerPairs

States = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # queries, keys, values, each float [rows, tokens, width]
PARTS = ("query", "key", "value")


def relation_loss(
    student_states: Sequence[torch.Tensor],
    teacher_states: Sequence[torch.Tensor],
    mask: torch.Tensor,
    relation_heads: int,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the divergence of the student's self-relations from the teacher's (Wang et al. 2021, MiniLMv2).

    The vectors are split into relation heads. A head's self-relation is softmax(X X^T / sqrt(head's width)): for each token, a
    distribution over the sequence's tokens without padding. Each side is scaled by its own width, so widths may differ.

    Args:
        student_states: queries, keys and values of a layer, each float [rows, tokens, student's width].
        teacher_states: the same number of tensors, each float [rows, tokens, teacher's width].
        mask: 1 where there is a token, [rows, tokens].
        relation_heads: the number of relation heads; it need not be the number of attention heads.
        weights: float [rows], or None for 1.

    Returns:
        The Kullback-Leibler divergence in nats, a scalar: the mean over tokens (each row times its weight) and relation heads,
        summed over the states.

    Raises:
        ValueError: the relation heads do not divide a width, or the numbers of states differ.
    """
    real = mask.bool()
    counted = real if weights is None else real * weights[:, None]
    total = torch.zeros((), device=mask.device)
    for own, theirs in zip(student_states, teacher_states, strict=True):
        log_student = _log_relations(own, real, relation_heads, "student")
        log_teacher = _log_relations(theirs.detach(), real, relation_heads, "teacher")
        each = functional.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=-1)
        total = total + (each * counted[:, None, :]).sum() / (real.sum() * relation_heads)
    return total


def _log_relations(states: torch.Tensor, real: torch.Tensor, heads: int, side: str) -> torch.Tensor:
    """Return the logarithm of self-relations, float32 [rows, heads, tokens, tokens]; padding keys get the smallest float."""
    width = states.shape[-1]
    if width % heads:
        raise ValueError(f"{heads} relation heads do not divide the {side}'s width {width}")
    # The rounding of bfloat16 scores would exceed the differences of relations.
    with torch.autocast(states.device.type, enabled=False):
        split = states.float().unflatten(-1, (heads, width // heads)).transpose(1, 2)
        scores = split @ split.transpose(-1, -2) / (width // heads) ** 0.5
    # -inf would give nan for 0 times a difference; the least float gives padding no mass either.
    scores = scores.masked_fill(~real[:, None, None, :], torch.finfo(scores.dtype).min)
    return functional.log_softmax(scores, dim=-1)


def teacher_states(layer_module: Any, hidden: torch.Tensor) -> States:
    """Return the queries, keys and values of a teacher's layer, computed from its input without gradients.

    Args:
        layer_module: a layer of a BERT's encoder, `bert.encoder.layer[layer]`.
        hidden: hidden state `layer`, float [rows, tokens, hidden size].
    """
    attention = layer_module.attention.self
    with torch.no_grad():
        return attention.query(hidden), attention.key(hidden), attention.value(hidden)


class StateRecorder:
    """Records the queries, keys and values of some layers during a BERT's forward.

    It adds hooks to the model. Call `close` before the model is copied or used elsewhere.
    """

    def __init__(self, bert: Any, layers: Sequence[int]) -> None:
        """Take a BertModel and the indices of its layers, from 0."""
        self._states: dict[tuple[int, str], torch.Tensor] = {}
        self._handles = [
            getattr(bert.encoder.layer[layer].attention.self, part).register_forward_hook(self._keep(layer, part))
            for layer in layers
            for part in PARTS
        ]

    def _keep(self, layer: int, part: str) -> Any:
        def hook(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:  # noqa: ARG001 - torch gives all three
            self._states[layer, part] = output

        return hook

    def take(self, layer: int) -> States:
        """Return the states of the last forward, with gradients, and forget them.

        Raises:
            LookupError: the layer is not recorded, or no forward has run since the last call.
        """
        try:
            query, key, value = (self._states.pop((layer, part)) for part in PARTS)
        except KeyError:
            raise LookupError(f"no states of layer {layer} are recorded; run the model forward before each take") from None
        return query, key, value

    def close(self) -> None:
        """Remove the hooks and forget all states. A second call does nothing."""
        for handle in self._handles:
            handle.remove()
        self._states.clear()


class Relations(LayerLoss):
    """Divergence of the self-relations of paired layers."""

    def __init__(self, params: Any, pairs: LayerPairs, bodies: Bodies) -> None:
        """See LayerLoss; `params` has the key `heads`. Layers count from 1 here, as in params.yaml."""
        super().__init__(params, pairs, bodies)
        # The teacher is not trained. A plain dict hides its layers from the optimizer.
        self.teacher_layers = {theirs: bodies.teacher.encoder.layer[theirs - 1] for _, theirs in pairs}
        self.recorder = StateRecorder(bodies.student, [own - 1 for own, _ in pairs])

    def compare(self, own: int, theirs: int, output: Any, batch: Batch) -> torch.Tensor:  # noqa: ARG002 - the recorder has its states
        """Return the divergence of a pair of layers."""
        entering = self.teacher_states(batch, theirs - 1)
        states = teacher_states(self.teacher_layers[theirs].to(entering.device), entering)
        return relation_loss(self.recorder.take(own - 1), states, batch["attention_mask"], self.params.heads, batch.get("weights"))

    def close(self) -> None:
        """Stop recording the student's states."""
        self.recorder.close()

"""Relations: how strongly the queries, keys and values of a layer resemble each other, which needs no equal widths or heads.

A layer is named here by its index in the encoder, from 0: its input is hidden state `layer`, its output hidden state `layer` + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch.nn import functional

States = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # queries, keys, values, each float [rows, tokens, width]
PARTS = ("query", "key", "value")


def relation_loss(
    student_states: Sequence[torch.Tensor],
    teacher_states: Sequence[torch.Tensor],
    mask: torch.Tensor,
    relation_heads: int,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Divergence of the student's self-relations from the teacher's (Wang et al. 2021, MiniLMv2).

    A state's vectors are split into relation heads. A head's self-relation is softmax(X X^T / sqrt(head's width)): for each token
    a distribution over the sequence's tokens, padding left out. Widths may differ, since each side is scaled by its own.

    Args:
        student_states: queries, keys and values of a layer, or any others, each float [rows, tokens, student's width].
        teacher_states: as many, each float [rows, tokens, teacher's width].
        mask: 1 where there is a token, [rows, tokens].
        relation_heads: how many heads the vectors are split into, whatever the numbers of attention heads.
        weights: float [rows], or None for 1.

    Returns:
        The Kullback-Leibler divergence in nats, as a mean over the tokens of all rows, each row's times its weight, and the
        relation heads, and a sum over the states; a scalar.

    Raises:
        ValueError: a width does not split into the relation heads, or one side has more states than the other.
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
    """Return the logarithm of self-relations, float32 [rows, heads, tokens, tokens], hugely negative where the key is padding."""
    width = states.shape[-1]
    if width % heads:
        raise ValueError(f"the {side}'s states of width {width} do not split into {heads} relation heads of equal width")
    # Scores in bfloat16 would differ by more than the relations do.
    with torch.autocast(states.device.type, enabled=False):
        split = states.float().unflatten(-1, (heads, width // heads)).transpose(1, 2)
        scores = split @ split.transpose(-1, -2) / (width // heads) ** 0.5
    # Not -inf, which would make nan of 0 times a difference; the least float leaves padding no mass just as well.
    scores = scores.masked_fill(~real[:, None, None, :], torch.finfo(scores.dtype).min)
    return functional.log_softmax(scores, dim=-1)


def teacher_states(layer_module: Any, hidden: torch.Tensor) -> States:
    """Return the queries, keys and values of a teacher's layer from the hidden states that enter it, without gradients.

    Args:
        layer_module: a layer of a BERT's encoder, `bert.encoder.layer[layer]`.
        hidden: hidden state `layer`, float [rows, tokens, hidden size].
    """
    attention = layer_module.attention.self
    with torch.no_grad():
        return attention.query(hidden), attention.key(hidden), attention.value(hidden)


class StateRecorder:
    """Keeps the queries, keys and values of some layers of a BERT from its forward until they are taken.

    It hooks into the model, so `close` it, or use it in a `with`, before the model is copied or goes on without it.
    """

    def __init__(self, bert: Any, layers: Sequence[int]) -> None:
        """Take a BertModel (a head's `.bert`) and the layers' indices in its encoder, from 0."""
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
        """Return what the last forward left, with gradients, and let go of it.

        Raises:
            LookupError: the layer is not recorded, or there was no forward since the states were taken.
        """
        try:
            query, key, value = (self._states.pop((layer, part)) for part in PARTS)
        except KeyError:
            raise LookupError(f"no states of layer {layer} are recorded: run the model forward before each take") from None
        return query, key, value

    def close(self) -> None:
        """Unhook from the model and let go of all states; a second time does nothing."""
        for handle in self._handles:
            handle.remove()
        self._states.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""Losses that a teacher cannot teach, refused before anything is computed: what params.yaml alone does not show."""

from __future__ import annotations

from typing import Any

from compactlm.distillation.layers import LayerPairs, layer_map
from compactlm.errors import CompactLMError
from compactlm.params import LayerMap, Losses, Params


def check_losses(params: Params, teacher: Any) -> None:
    """Check the losses of both phases against the shape of the teacher.

    Args:
        params: all of params.yaml.
        teacher: the configuration of the teacher (BertConfig), whose shape is that of every task's teacher.

    Raises:
        CompactLMError: a loss has no layer to learn from, or pairs heads that the two do not have.
    """
    last = teacher.num_hidden_layers
    if max(params.signals.layers) > last:
        greatest = max(params.signals.layers)
        raise CompactLMError(f"signals.layers names layer {greatest}, but the teacher's last is {last}; lower or remove it")
    for phase, losses in (("general", params.distill.general), ("task", params.distill.task)):
        _check_layers(params, f"distill.{phase}", losses, last)
        _check_heads(params, f"distill.{phase}", losses, teacher)


def _check_layers(params: Params, phase: str, losses: Losses, last: int) -> None:
    for name, loss, before in (("hidden", losses.hidden, 0), ("relations", losses.relations, 1), ("attention", losses.attention, 1)):
        if not loss.weight:
            continue
        where = f"{phase}.{name}"
        pairs = [(own, theirs) for own, theirs in _pairs(where, loss.layers, params.student.layers, last) if min(own, theirs) >= before]
        kept = params.signals.layers
        if name != "attention" and not any(theirs - before in kept for _, theirs in pairs):
            wanted = ", ".join(str(layer) for layer in sorted({theirs - before for _, theirs in pairs}))
            raise CompactLMError(
                f"{where} has no layer to learn from: signals.layers holds {kept}, and its layers ({loss.layers}) ask for {wanted}; "
                "add one of these to signals.layers, or name pairs of layers"
            )


def _pairs(where: str, kind: LayerMap, own: int, theirs: int) -> LayerPairs:
    try:
        return layer_map(kind, own, theirs)
    except CompactLMError as error:
        raise CompactLMError(f"{where}.layers: {error}") from None


def _check_heads(params: Params, phase: str, losses: Losses, teacher: Any) -> None:
    own, theirs = params.student.attention_heads, teacher.num_attention_heads
    if losses.attention.weight and own != theirs:
        raise CompactLMError(
            f"{phase}.attention pairs the heads, but student.attention_heads is {own} and the teacher has {theirs}; set "
            f"student.attention_heads to {theirs}, or give {phase}.relations a weight in place of it"
        )
    if losses.relations.weight and teacher.hidden_size % losses.relations.heads:
        raise CompactLMError(
            f"{phase}.relations.heads {losses.relations.heads} does not divide the teacher's hidden size {teacher.hidden_size}; "
            "choose a number that divides the student's and the teacher's"
        )

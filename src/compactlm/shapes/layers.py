"""The rules of layers: which of the teacher's layers the student's layers learn from, and which states each loss needs.

Layer 0 is the embeddings; layer n is the output of the nth layer. The hidden loss compares the states of two layers. Relations and
attentions of layer n are computed from the states of layer n - 1, so these losses begin at layer 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from compactlm.errors import CompactLMError

LayerPairs = list[tuple[int, int]]  # the student's layer, then the teacher's
DEPTHS = (6, 12, 24)  # the depths of common teachers, for examples in messages
FIRST = {"hidden": 0, "relations": 1, "attention": 1}  # the lowest layer of each loss between layers


class Shape(NamedTuple):
    """The properties of a model that the rules need."""

    layers: int
    hidden_size: int
    heads: int

    @classmethod
    def of(cls, config: Any) -> Shape:
        """Return the shape of a BertConfig."""
        return cls(config.num_hidden_layers, config.hidden_size, config.num_attention_heads)


def kept_layers(rule: int | Sequence[int], teacher_layers: int) -> list[int]:
    """Return the teacher's layers whose hidden states are kept as signals.

    Args:
        rule: the layers themselves, or their number. A number n selects n evenly spread layers, including the teacher's last one.
        teacher_layers: the number of the teacher's layers.

    Raises:
        CompactLMError: the rule names a layer twice, or one that the teacher does not have.
    """
    if isinstance(rule, int):
        if rule > teacher_layers:
            raise CompactLMError(f"signals.layers is {rule}, but the teacher has only {teacher_layers} layers; lower it")
        return uniform_layers(rule, teacher_layers)[1:]
    check_kept(rule)
    if max(rule) > teacher_layers:
        raise CompactLMError(f"signals.layers names layer {max(rule)}, but the teacher's last is {teacher_layers}; lower or remove it")
    return list(rule)


def check_kept(layers: Sequence[int]) -> None:
    """Raise CompactLMError if a layer is named twice."""
    if len(set(layers)) != len(layers):
        raise CompactLMError("signals.layers names a layer twice; name each once")


def uniform_layers(student_layers: int, teacher_layers: int) -> list[int]:
    """Return a teacher layer for each of the student's layers, evenly spread, starting with the embeddings (0).

    If both models have as many layers, the map is the identity. The last layers always correspond.
    """
    return [round(layer * teacher_layers / student_layers + 1e-9) for layer in range(student_layers + 1)]


def find_pairs(
    where: str, layers: str | Sequence[tuple[int, int]], student_layers: int, teacher_layers: int, kept: Sequence[int]
) -> tuple[LayerPairs, LayerPairs]:
    """Return the pairs of layers that a loss learns from, in the order of the student's layers, and the pairs without signals.

    Args:
        where: the key of the loss in params.yaml, such as distill.task.hidden. The last part is the name of the loss.
        layers: "uniform", "last", or a list of pairs. "uniform" spreads the teacher's layers evenly over the student's. "last" takes as
            many of the teacher's last layers as the student has, and pairs the embeddings with the embeddings. For both, pairs without
            signals are left out. Listed pairs must all be usable.
        student_layers: the number of the student's layers.
        teacher_layers: the number of the teacher's layers.
        kept: the teacher's layers whose hidden states are signals.

    Raises:
        CompactLMError: a pair is wrong, or no pair has signals.
    """
    loss = where.rpartition(".")[2]
    if not isinstance(layers, str):
        check_pairs(where, layers, student_layers, teacher_layers, kept)
        return list(layers), []
    pairs = [pair for pair in _named_map(where, layers, student_layers, teacher_layers) if min(pair) >= FIRST[loss]]
    used = [pair for pair in pairs if _has_signals(loss, pair[1], kept)]
    if not used:
        wanted = ", ".join(str(layer) for layer in sorted({theirs - FIRST[loss] for _, theirs in pairs}))
        raise CompactLMError(
            f"{where} has no layer to learn from: signals.layers holds {list(kept)}, and its layers ({layers}) ask for {wanted}; "
            "add one of these to signals.layers, or list pairs of layers"
        )
    return used, [pair for pair in pairs if pair not in used]


def _has_signals(loss: str, theirs: int, kept: Sequence[int]) -> bool:
    return loss == "attention" or theirs - FIRST[loss] in kept


def _named_map(where: str, name: str, student_layers: int, teacher_layers: int) -> LayerPairs:
    if name == "uniform":
        return list(enumerate(uniform_layers(student_layers, teacher_layers)))
    skipped = teacher_layers - student_layers
    if skipped < 0:
        raise CompactLMError(
            f"{where}.layers is 'last', which needs as many layers in the teacher as in the student, but the student has {student_layers} "
            f"and the teacher {teacher_layers}; lower student.layers, or choose 'uniform'"
        )
    return [(0, 0), *((layer, skipped + layer) for layer in range(1, student_layers + 1))]


def check_pairs(
    where: str,
    pairs: Sequence[tuple[int, int]],
    student_layers: int,
    teacher_layers: int | None = None,
    kept: Sequence[int] | None = None,
) -> None:
    """Check listed pairs of layers. Arguments that are None are not known yet; they are not checked.

    Raises:
        CompactLMError: a layer does not exist, has no signals or nothing to compare, or the student's layers are not in increasing order.
    """
    loss, seen = where.rpartition(".")[2], [-1]
    for own, theirs in pairs:
        if own in seen:
            raise CompactLMError(f"{where}.layers has the student's layer {own} twice; keep one of its pairs")
        if own < seen[-1]:
            raise CompactLMError(
                f"{where}.layers has the student's layer {own} after {seen[-1]}; list the pairs in the order of the student's layers"
            )
        seen.append(own)
        if min(own, theirs) < FIRST[loss]:
            raise CompactLMError(f"{where}.layers pairs 0, the embeddings, which have no attention; name layers from 1")
        if own > student_layers:
            raise CompactLMError(
                f"{where}.layers names the student's layer {own}, but student.layers is {student_layers}; correct one of the two"
            )
        if teacher_layers is not None and theirs > teacher_layers:
            raise CompactLMError(f"{where}.layers names the teacher's layer {theirs}, but the teacher's last is {teacher_layers}; lower it")
        if kept is not None and not _has_signals(loss, theirs, kept):
            source = f", whose relations come from layer {theirs - 1}" if loss == "relations" else ""
            raise CompactLMError(f"{where}.layers names the teacher's layer {theirs}{source}, which signals.layers lacks; add it there")


def needs_signals(losses: Any) -> bool:
    """Return whether a phase with the section `losses` (params.Losses) has a loss that compares the student with the teacher."""
    return any((losses.soft_weight, losses.hidden.weight, losses.embeddings.weight, losses.relations.weight, losses.attention.weight))


def check_both_phases(params: Any, teacher: Any, has_head: bool = True) -> None:
    """Check the losses of both phases against the teacher before anything is computed.

    Args:
        params: all of params.yaml (params.Params).
        teacher: the teacher's configuration (BertConfig).
        has_head: whether the teacher has a masked-language-model head.

    Raises:
        CompactLMError: signals.layers does not fit the teacher, a loss has no layer to learn from, its heads do not fit the two models, or
            general distillation has soft targets of a teacher without a head.
    """
    if params.distill.general.soft_weight and not has_head:
        raise CompactLMError(
            f"distill.general.soft_weight is {params.distill.general.soft_weight:g}, but the teacher has no masked-language-model head "
            "whose probabilities could be soft targets; set it to 0 and distill.general.hard_weight above 0"
        )
    student = Shape(params.student.layers, params.student.hidden_size, params.student.attention_heads)
    kept_layers(params.signals.layers, teacher.num_hidden_layers)
    for phase, losses in (("general", params.distill.general), ("task", params.distill.task)):
        check_losses(f"distill.{phase}", losses, student, Shape.of(teacher), params.signals.layers)


def check_losses(where: str, losses: Any, student: Shape, teacher: Shape | None, rule: int | Sequence[int]) -> None:
    """Check that a phase can have its losses.

    Args:
        where: the key of the phase in params.yaml, such as distill.task.
        losses: its section (params.Losses).
        student: the student's shape.
        teacher: the teacher's shape, or None if only params.yaml is known.
        rule: signals.layers. A number becomes a list of layers once the teacher is known.

    Raises:
        CompactLMError: a loss has no layer to learn from, or its heads do not fit the models.
    """
    if losses.embeddings.weight:
        _check_embeddings(where, rule, teacher)
    kept = rule if not isinstance(rule, int) else None if teacher is None else kept_layers(rule, teacher.layers)
    for name in FIRST:
        loss = getattr(losses, name)
        if not loss.weight:
            continue
        if teacher is not None and kept is not None:
            find_pairs(f"{where}.{name}", loss.layers, student.layers, teacher.layers, kept)
        elif not isinstance(loss.layers, str):
            check_pairs(f"{where}.{name}", loss.layers, student.layers, None, kept)
    if losses.relations.weight:
        for side, shape in (("student", student), ("teacher", teacher)):
            if shape is not None and shape.hidden_size % losses.relations.heads:
                raise CompactLMError(
                    f"{where}.relations.heads is {losses.relations.heads}, which does not divide the {side}'s hidden size "
                    f"{shape.hidden_size}; choose a number that divides the student's and the teacher's"
                )
    if losses.attention.weight and teacher is not None and student.heads != teacher.heads:
        raise CompactLMError(
            f"{where}.attention pairs the heads, but student.attention_heads is {student.heads} and the teacher has {teacher.heads}; set "
            f"student.attention_heads to {teacher.heads}, or give {where}.relations a weight in place of it"
        )


def _check_embeddings(where: str, rule: int | Sequence[int], teacher: Shape | None) -> None:
    if isinstance(rule, int):
        depth = teacher.layers if teacher else next((depth for depth in DEPTHS if depth >= rule), rule)
        example = f"{uniform_layers(rule, depth)} for a teacher of {depth} layers"
        raise CompactLMError(
            f"{where}.embeddings has a weight, but signals.layers is {rule}, which never includes the embeddings (0); list the layers, "
            f"such as {example}, or set the weight to 0"
        )
    if 0 not in rule:
        raise CompactLMError(f"{where}.embeddings has a weight, but signals.layers lacks 0, the embeddings; add it or set the weight to 0")

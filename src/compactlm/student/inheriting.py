"""Fit the weights of a student's body so that it is a rough copy of the teacher before any training.

The student's hidden states are the teacher's, projected onto the principal directions of the teacher's states. Each of the student's layers
takes the strongest attention heads and neurons of one of the teacher's layers and applies them through the projection. Its output
projections and layer normalisations are then fitted in closed form, layer by layer, so that the student's states come as close as possible
to the projected states of the teacher. Choosing and copying weights by activations follows Xu et al. 2024 (Weight Selection) and Samragh et
al. 2023 (Weight Subcloning). The regression onto the teacher's states is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import BertModel

from compactlm.student.copying import copy_token_types
from compactlm.student.heads import fold, fold_attention, resize_head, strongest_heads, strongest_neurons
from compactlm.student.regression import fit_layer_norm, ridge
from compactlm.student.teacher_trace import Trace, directions, record

SPREAD = 1.2  # the size of the hidden states before a layer normalisation, relative to the sublayer's input


def project_embeddings(student: BertModel, teacher: BertModel, ids: torch.Tensor, components: torch.Tensor) -> None:
    """Set the student's embeddings to the teacher's projected ones. `ids` holds the teacher's id of each of the student's tokens."""
    own, theirs = student.embeddings, teacher.embeddings
    with torch.no_grad():
        own.word_embeddings.weight.copy_(theirs.word_embeddings.weight[ids] @ components.T)
        count = min(len(own.position_embeddings.weight), len(theirs.position_embeddings.weight))
        own.position_embeddings.weight[:count] = theirs.position_embeddings.weight[:count] @ components.T
        copy_token_types(student, theirs.token_type_embeddings.weight @ components.T)
        own.word_embeddings.weight[student.config.pad_token_id] = 0


@torch.no_grad()
def inherit(
    student: BertModel,
    teacher: BertModel,
    teacher_ids: Sequence[int],
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    layers: Sequence[int],
) -> torch.Tensor:
    """Fit all weights of the student's body to the teacher.

    Args:
        student: a BERT body that is not wider than the teacher.
        teacher: a BERT body, in eval mode.
        teacher_ids: the teacher's id of each of the student's ids.
        input_ids: a sample of text in the student's ids, int64 [rows, tokens]; about 10,000 tokens are enough.
        attention_mask: [rows, tokens].
        layers: the teacher's layer for each of the student's layers, starting with the embeddings (0).

    Returns:
        The components, float [student's hidden size, teacher's hidden size].
    """
    ids, real = torch.tensor(teacher_ids), attention_mask.bool()
    sources = [max(layer - 1, 0) for layer in layers[1:]]  # a student layer that spans several teacher layers copies the last
    trace = record(teacher, ids[input_ids], attention_mask, set(sources))
    components = directions(trace.hidden, student.config.hidden_size)
    project_embeddings(student, teacher, ids, components)
    embeddings = student.embeddings
    positions = torch.arange(input_ids.shape[1])
    summed = embeddings.word_embeddings(input_ids) + embeddings.position_embeddings(positions) + embeddings.token_type_embeddings.weight[0]
    states = fit_layer_norm(embeddings.LayerNorm, summed[real], trace.hidden[0] @ components.T)
    for own, source, after in zip(student.encoder.layer, sources, layers[1:], strict=True):
        theirs = teacher.encoder.layer[source]
        states = _inherit_attention(own, theirs, source, trace, components, states, real)
        states = _inherit_feed_forward(own, theirs, source, trace, components, states, trace.hidden[after] @ components.T)
    return components


def _inherit_attention(
    own: Any, theirs: Any, source: int, trace: Trace, components: torch.Tensor, states: torch.Tensor, real: torch.Tensor
) -> torch.Tensor:
    attention, output = own.attention.self, theirs.attention.output.dense.weight
    folded = fold_attention(theirs.attention.self, output, components, trace.hidden[source].mean(dim=0))
    chosen = strongest_heads(trace.contexts[source], output, len(folded), attention.num_attention_heads)
    width = attention.attention_head_size
    # Heads beyond the teacher's number keep their random weights.
    for place, head in enumerate(resize_head(folded[index], width) for index in chosen):
        rows = slice(place * width, (place + 1) * width)
        for name, weights in head.items():
            getattr(attention, name).weight[rows] = weights[:, :-1]
            getattr(attention, name).bias[rows] = weights[:, -1]
    contexts = _contexts(attention, states, real)
    target = trace.attended[source] @ components.T
    return _fit_sublayer(own.attention.output, contexts, states, target)


def _inherit_feed_forward(
    own: Any, theirs: Any, source: int, trace: Trace, components: torch.Tensor, states: torch.Tensor, target: torch.Tensor
) -> torch.Tensor:
    neurons = len(own.intermediate.dense.bias)
    chosen = strongest_neurons(trace.activations[source], theirs.output.dense.weight, neurons)
    weight, bias = fold(theirs.intermediate.dense, components, trace.attended[source].mean(dim=0))
    own.intermediate.dense.weight[: len(chosen)] = weight[chosen]
    own.intermediate.dense.bias[: len(chosen)] = bias[chosen]
    return _fit_sublayer(own.output, own.intermediate(states), states, target)


def _contexts(attention: Any, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return the student's attention contexts from its hidden states, both float [tokens, hidden size]."""
    padded = states.new_zeros(*real.shape, states.shape[1])
    padded[real] = states
    heads = attention.num_attention_heads
    query, key, value = (getattr(attention, name)(padded).unflatten(-1, (heads, -1)).transpose(1, 2) for name in ("query", "key", "value"))
    mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])
    return mixed.transpose(1, 2).flatten(2)[real]


def _fit_sublayer(sublayer: Any, inputs: torch.Tensor, states: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Fit a BERT sublayer's output projection and layer normalisation, and return its output."""
    # Only the direction matters before a layer normalisation, so the target is standardised and scaled to the hidden states.
    wanted = (target - target.mean(dim=0)) / target.std(dim=0, correction=0).clamp(min=1e-6) * states.std() * SPREAD
    weight, bias = ridge(inputs, wanted - states)
    sublayer.dense.weight.copy_(weight)
    sublayer.dense.bias.copy_(bias)
    return fit_layer_norm(sublayer.LayerNorm, sublayer.dense(inputs) + states, target)

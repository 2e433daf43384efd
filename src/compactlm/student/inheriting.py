"""Initial weights that make the student a rough copy of the teacher before any training.

The student's stream is the teacher's, projected onto the principal directions of its hidden states. Each of the student's layers
takes the strongest attention heads and neurons of one of the teacher's, reads them through the projection, and has its output
projections and layer normalisations fitted, in closed form and layer by layer, so that the student's own states come as near as
they can to the projected states of the teacher. Choosing by activations and copying goes back to Xu et al. 2024 (Weight
Selection) and Samragh et al. 2023 (Weight Subcloning); the regression onto the teacher's states is ours.
A student whose layers have the teacher's shape gets copies instead (see copying).
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import BertForMaskedLM, BertModel, BertPreTrainedModel

from compactlm.errors import CompactLMError
from compactlm.student.building import principal_components
from compactlm.student.copying import can_be_copied, copy_body, copy_mlm_head, copy_token_types
from compactlm.student.heads import fold, fold_attention, resize_head, strongest_heads, strongest_neurons
from compactlm.student.regression import fit_layer_norm, ridge

SPREAD = 1.2  # how much wider than its input the stream is before a layer normalisation
ROWS_AT_ONCE = 32  # of the sample: what a model computes of all at once is beyond every cache of the processor
LINEAR = 3.0  # where GELU is nearly the identity


@dataclasses.dataclass(frozen=True)
class _Trace:
    """What the teacher computes at the tokens of some sequences, float [tokens, width]; all but `hidden` by layer, from 0."""

    hidden: list[torch.Tensor]
    contexts: dict[int, torch.Tensor]
    attended: dict[int, torch.Tensor]
    activations: dict[int, torch.Tensor]


def initialise(
    student: Any,
    teacher: BertPreTrainedModel,
    teacher_ids: Sequence[int],
    kind: str,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    layers: Sequence[int],
) -> torch.Tensor:
    """Give a student its first weights, and return the components that its projections start from.

    Args:
        student: a masked language model or a classifier with random weights; its head is set where the teacher has such a head.
            It is put into eval mode, since the fit of the head reads it.
        teacher: with the same kind of head; it is put into eval mode.
        teacher_ids: the teacher's id of each of the student's ids.
        kind: as params' student.initialisation: "inherited", "embeddings" or "random".
        input_ids: a sample of text; see `inherit`.
        attention_mask: of the sample.
        layers: the teacher's layer for each of the student's, the embeddings (0) first.

    Returns:
        float [student's hidden size, teacher's hidden size].

    Raises:
        CompactLMError: the student is wider than the teacher.
    """
    student.eval()
    teacher.eval()
    size, width = student.config.hidden_size, teacher.config.hidden_size
    if kind == "inherited" and size > width:
        raise CompactLMError(
            f"student.hidden_size {size} is more than the teacher's {width}, so its weights cannot be inherited; "
            "lower it, or set student.initialisation to embeddings in params.yaml"
        )
    if kind == "inherited":
        copied = can_be_copied(student.bert, teacher.bert)
        if copied:
            components = copy_body(student.bert, teacher.bert, teacher_ids, layers)
        else:
            components = inherit(student.bert, teacher.bert, teacher_ids, input_ids, attention_mask, layers)
        if not isinstance(student, BertForMaskedLM):
            inherit_classifier(student, teacher, components)
        elif copied and _is_tied(teacher):
            copy_mlm_head(student, teacher, teacher_ids)
        else:
            inherit_mlm_head(student, teacher, teacher_ids, input_ids, attention_mask)
        return components
    ids = torch.tensor(teacher_ids)
    components = principal_components(teacher.bert.embeddings.word_embeddings.weight.detach().float()[ids], size)
    if kind == "embeddings":
        project_embeddings(student.bert, teacher.bert, ids, components)
    return components


def _is_tied(model: Any) -> bool:
    return torch.equal(model.cls.predictions.decoder.weight, model.bert.embeddings.word_embeddings.weight)


@torch.no_grad()
def inherit(
    student: BertModel,
    teacher: BertModel,
    teacher_ids: Sequence[int],
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    layers: Sequence[int],
) -> torch.Tensor:
    """Set all weights of the student's body from the teacher's.

    Args:
        student: any shape that is no wider than the teacher.
        teacher: a BERT body, in eval mode.
        teacher_ids: the teacher's id of each of the student's ids.
        input_ids: a sample of text in the student's ids, int64 [rows, tokens]; some 10,000 tokens are enough.
        attention_mask: [rows, tokens].
        layers: the teacher's layer for each of the student's, the embeddings (0) first.

    Returns:
        The components, float [student's hidden size, teacher's hidden size].
    """
    ids, real = torch.tensor(teacher_ids), attention_mask.bool()
    sources = [max(layer - 1, 0) for layer in layers[1:]]  # of the teacher's layers that one stands for, the last
    trace = _record(teacher, ids[input_ids], attention_mask, set(sources))
    components = directions(trace.hidden, student.config.hidden_size)
    states = _inherit_embeddings(student, teacher, ids, components, input_ids, real, trace)
    for own, source, after in zip(student.encoder.layer, sources, layers[1:], strict=True):
        theirs = teacher.encoder.layer[source]
        states = _inherit_attention(own, theirs, source, trace, components, states, real)
        states = _inherit_feed_forward(own, theirs, source, trace, components, states, trace.hidden[after] @ components.T)
    return components


def directions(hidden: Sequence[torch.Tensor], size: int) -> torch.Tensor:
    """Return the principal directions of hidden states of several layers, each state at unit length, float [size, width]."""
    states = torch.cat([torch.nn.functional.normalize(layer, dim=1) for layer in hidden])
    step = max(1, len(states) // 40_000)  # more rows change little but take long
    return principal_components(states[::step], size)


def _record(teacher: BertModel, input_ids: torch.Tensor, attention_mask: torch.Tensor, layers: set[int]) -> _Trace:
    hidden: dict[int, list[torch.Tensor]] = defaultdict(list)
    contexts: dict[int, list[torch.Tensor]] = defaultdict(list)
    attended: dict[int, list[torch.Tensor]] = defaultdict(list)
    activations: dict[int, list[torch.Tensor]] = defaultdict(list)
    real = attention_mask.bool()

    def keep(store: dict[int, list[torch.Tensor]], layer: int, output: bool) -> Any:
        def hook(module: torch.nn.Module, inputs: Any, result: torch.Tensor) -> None:  # noqa: ARG001 - torch gives all three
            store[layer].append((result if output else inputs[0])[real])

        return hook

    hooks = []
    for index in layers:
        layer = teacher.encoder.layer[index]
        hooks.append(layer.attention.output.dense.register_forward_hook(keep(contexts, index, output=False)))
        hooks.append(layer.attention.output.register_forward_hook(keep(attended, index, output=True)))
        hooks.append(layer.output.dense.register_forward_hook(keep(activations, index, output=False)))
    try:
        for part, mask in _parts(input_ids, attention_mask):
            real = mask.bool()
            for layer, states in enumerate(teacher(part, attention_mask=mask, output_hidden_states=True).hidden_states):
                hidden[layer].append(states[real])
    finally:
        for hook in hooks:
            hook.remove()
    whole = [{layer: torch.cat(found) for layer, found in store.items()} for store in (contexts, attended, activations)]
    return _Trace([torch.cat(hidden[layer]) for layer in range(len(hidden))], *whole)


def _parts(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Give a sample some rows at a time, without the columns that are padding in all of them."""
    for part, mask in zip(input_ids.split(ROWS_AT_ONCE), attention_mask.split(ROWS_AT_ONCE), strict=True):
        width = int(mask.any(dim=0).nonzero().max()) + 1
        yield part[:, :width], mask[:, :width]


def _last_states(body: BertModel, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Return the last hidden states at all tokens of a sample, float [tokens, width]."""
    parts = _parts(input_ids, attention_mask)
    return torch.cat([body(part, attention_mask=mask).last_hidden_state[mask.bool()] for part, mask in parts])


def _inherit_embeddings(
    student: BertModel,
    teacher: BertModel,
    ids: torch.Tensor,
    components: torch.Tensor,
    input_ids: torch.Tensor,
    real: torch.Tensor,
    trace: _Trace,
) -> torch.Tensor:
    project_embeddings(student, teacher, ids, components)
    own = student.embeddings
    positions = torch.arange(input_ids.shape[1])
    summed = own.word_embeddings(input_ids) + own.position_embeddings(positions) + own.token_type_embeddings.weight[0]
    return fit_layer_norm(own.LayerNorm, summed[real], trace.hidden[0] @ components.T)


def project_embeddings(student: BertModel, teacher: BertModel, ids: torch.Tensor, components: torch.Tensor) -> None:
    """Set the student's embeddings to the teacher's, projected; `ids` are the teacher's of each of the student's tokens."""
    own, theirs = student.embeddings, teacher.embeddings
    with torch.no_grad():
        own.word_embeddings.weight.copy_(theirs.word_embeddings.weight[ids] @ components.T)
        count = min(len(own.position_embeddings.weight), len(theirs.position_embeddings.weight))
        own.position_embeddings.weight[:count] = theirs.position_embeddings.weight[:count] @ components.T
        copy_token_types(student, theirs.token_type_embeddings.weight @ components.T)
        own.word_embeddings.weight[student.config.pad_token_id] = 0


def _inherit_attention(
    own: Any, theirs: Any, source: int, trace: _Trace, components: torch.Tensor, states: torch.Tensor, real: torch.Tensor
) -> torch.Tensor:
    attention, output = own.attention.self, theirs.attention.output.dense.weight
    folded = fold_attention(theirs.attention.self, output, components, trace.hidden[source].mean(dim=0))
    chosen = strongest_heads(trace.contexts[source], output, len(folded), attention.num_attention_heads)
    width = attention.attention_head_size
    # Heads that the teacher does not have keep their random weights.
    for place, head in enumerate(resize_head(folded[index], width) for index in chosen):
        rows = slice(place * width, (place + 1) * width)
        for name, weights in head.items():
            getattr(attention, name).weight[rows] = weights[:, :-1]
            getattr(attention, name).bias[rows] = weights[:, -1]
    contexts = _contexts(attention, states, real)
    target = trace.attended[source] @ components.T
    return _fit_sublayer(own.attention.output, contexts, states, target)


def _inherit_feed_forward(
    own: Any, theirs: Any, source: int, trace: _Trace, components: torch.Tensor, states: torch.Tensor, target: torch.Tensor
) -> torch.Tensor:
    neurons = len(own.intermediate.dense.bias)
    chosen = strongest_neurons(trace.activations[source], theirs.output.dense.weight, neurons)
    weight, bias = fold(theirs.intermediate.dense, components, trace.attended[source].mean(dim=0))
    own.intermediate.dense.weight[: len(chosen)] = weight[chosen]
    own.intermediate.dense.bias[: len(chosen)] = bias[chosen]
    return _fit_sublayer(own.output, own.intermediate(states), states, target)


def _contexts(attention: Any, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Return what the student's heads gather, float [tokens, hidden size], from its states, float [tokens, hidden size]."""
    padded = states.new_zeros(*real.shape, states.shape[1])
    padded[real] = states
    heads = attention.num_attention_heads
    query, key, value = (getattr(attention, name)(padded).unflatten(-1, (heads, -1)).transpose(1, 2) for name in ("query", "key", "value"))
    mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])
    return mixed.transpose(1, 2).flatten(2)[real]


def _fit_sublayer(sublayer: Any, inputs: torch.Tensor, states: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Fit a BERT sublayer's output projection and layer normalisation, and return its output."""
    # Before a layer normalisation only the direction matters: the target, standardised, at the size of the stream.
    wanted = (target - target.mean(dim=0)) / target.std(dim=0, correction=0).clamp(min=1e-6) * states.std() * SPREAD
    weight, bias = ridge(inputs, wanted - states)
    sublayer.dense.weight.copy_(weight)
    sublayer.dense.bias.copy_(bias)
    return fit_layer_norm(sublayer.LayerNorm, sublayer.dense(inputs) + states, target)


@torch.no_grad()
def inherit_mlm_head(
    student: BertForMaskedLM, teacher: BertForMaskedLM, teacher_ids: Sequence[int], input_ids: torch.Tensor, attention_mask: torch.Tensor
) -> None:
    """Fit the student's masked-language-model head, on top of its inherited body, to the teacher's logits over the student's tokens.

    Args:
        student: in eval mode; its decoder is tied to its word embeddings, which stay as they are.
        teacher: in eval mode.
        teacher_ids: the teacher's id of each of the student's ids.
        input_ids: a sample of masked text in the student's ids, int64 [rows, tokens].
        attention_mask: [rows, tokens].
    """
    ids = torch.tensor(teacher_ids)
    states = _last_states(student.bert, input_ids, attention_mask)
    theirs = _last_states(teacher.bert, ids[input_ids], attention_mask)
    decoder = teacher.cls.predictions.decoder
    student.cls.predictions.bias.copy_(decoder.bias[ids])
    # The features whose logits by the student's embeddings come nearest to the teacher's.
    embeddings = student.bert.embeddings.word_embeddings.weight.double()
    solver = torch.linalg.pinv(embeddings) @ decoder.weight[ids].double()
    features = teacher.cls.predictions.transform(theirs) @ solver.T.float()
    transform = student.cls.predictions.transform
    weight, bias = ridge(states, (features - features.mean(dim=0)) / features.std(dim=0, correction=0).clamp(min=1e-6) + LINEAR)
    transform.dense.weight.copy_(weight)
    transform.dense.bias.copy_(bias)
    fit_layer_norm(transform.LayerNorm, torch.nn.functional.gelu(transform.dense(states)), features)


@torch.no_grad()
def inherit_classifier(student: Any, teacher: Any, components: torch.Tensor) -> None:
    """Set pooler and classifier of a BertForSequenceClassification to the teacher's, read through the components."""
    student.bert.pooler.dense.weight.copy_(components @ teacher.bert.pooler.dense.weight @ components.T)
    student.bert.pooler.dense.bias.copy_(components @ teacher.bert.pooler.dense.bias)
    student.classifier.weight.copy_(teacher.classifier.weight @ components.T)
    student.classifier.bias.copy_(teacher.classifier.bias)

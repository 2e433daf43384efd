"""Record the teacher's hidden states and activations on a sample of text."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import BertModel

from compactlm.student.building import principal_components

Store = defaultdict[int, list[torch.Tensor]]
ROWS_AT_ONCE = 32  # larger batches do not fit into the processor's caches


@dataclasses.dataclass(frozen=True)
class Trace:
    """The teacher's hidden states and activations on a sample, each tensor float [tokens, width].

    Attributes:
        hidden: hidden states, the embeddings first.
        contexts: input of the attention's output projection, by layer index from 0.
        attended: output of the attention sublayer, by layer index.
        activations: input of the feed-forward output projection, by layer index.
    """

    hidden: list[torch.Tensor]
    contexts: dict[int, torch.Tensor]
    attended: dict[int, torch.Tensor]
    activations: dict[int, torch.Tensor]


def record(teacher: BertModel, input_ids: torch.Tensor, attention_mask: torch.Tensor, layers: set[int]) -> Trace:
    """Run the teacher on a sample. Record its hidden states and, for some layers (indices from 0), the activations inside."""
    hidden, contexts, attended, activations = (Store(list) for _ in range(4))
    real = attention_mask.bool()

    def keep(store: Store, layer: int, output: bool) -> Any:
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
    return Trace([torch.cat(hidden[layer]) for layer in range(len(hidden))], *whole)


def _parts(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield a sample in parts of some rows, each without the columns that are padding in all of its rows."""
    for part, mask in zip(input_ids.split(ROWS_AT_ONCE), attention_mask.split(ROWS_AT_ONCE), strict=True):
        width = int(mask.any(dim=0).nonzero().max()) + 1
        yield part[:, :width], mask[:, :width]


def last_states(body: BertModel, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Return the last hidden states at all tokens of a sample, float [tokens, width]."""
    parts = _parts(input_ids, attention_mask)
    return torch.cat([body(part, attention_mask=mask).last_hidden_state[mask.bool()] for part, mask in parts])


def directions(hidden: Sequence[torch.Tensor], size: int) -> torch.Tensor:
    """Return the principal directions of the hidden states of several layers, each scaled to unit length, float [size, width]."""
    states = torch.cat([torch.nn.functional.normalize(layer, dim=1) for layer in hidden])
    step = max(1, len(states) // 40_000)  # more rows change little
    return principal_components(states[::step], size)

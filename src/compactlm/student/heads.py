"""Choose the teacher's strongest attention heads and neurons, and resize them for the student."""

from __future__ import annotations

from typing import Any

import torch

SMALL = 0.02  # the standard deviation of BERT's random weights, for what has no counterpart in the teacher


def strongest_heads(contexts: torch.Tensor, output: torch.Tensor, heads: int, count: int) -> list[int]:
    """Return the sorted indices of the (at most) `count` heads whose contribution to the layer's output varies most.

    Args:
        contexts: outputs of the heads, float [tokens, heads * head's width].
        output: weight of the layer's output projection, float [hidden size, heads * head's width].
        heads: the teacher's number of heads.
        count: the number to keep.
    """
    width = contexts.shape[1] // heads
    parts = contexts - contexts.mean(dim=0)
    sizes = torch.stack([(parts[:, h * width : (h + 1) * width] @ output[:, h * width : (h + 1) * width].T).norm() for h in range(heads)])
    return sorted(sizes.topk(min(count, heads)).indices.tolist())


def strongest_neurons(activations: torch.Tensor, output: torch.Tensor, count: int) -> torch.Tensor:
    """Return the sorted indices of the (at most) `count` neurons whose contribution to the layer's output varies most.

    `activations` are float [tokens, neurons]; `output` is the weight of the output projection, float [hidden size, neurons].
    """
    sizes = (activations - activations.mean(dim=0)).norm(dim=0) * output.norm(dim=0)
    return sizes.topk(min(count, len(sizes))).indices.sort().values


def fold(layer: torch.nn.Linear, components: torch.Tensor, mean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weight and bias of a teacher's linear layer, changed so that it reads the student's hidden states.

    The part of the teacher's states that the components do not span is replaced by its mean.

    Args:
        layer: the teacher's linear layer.
        components: float [student's hidden size, teacher's hidden size].
        mean: the mean of the layer's inputs, float [teacher's hidden size].
    """
    left_out = mean - components.T @ (components @ mean)
    return layer.weight @ components.T, layer.bias + layer.weight @ left_out


def fold_attention(attention: Any, output: torch.Tensor, components: torch.Tensor, mean: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    """Fold query, key and value of each head of a BERT layer's `attention.self`; see `fold`. `output` is the output projection's weight.

    Returns:
        One dict for each head. Query, key and value are float [head's width, student's hidden size + 1] with the bias as the last
        column; output is float [teacher's hidden size, head's width].
    """
    heads = attention.num_attention_heads
    parts = {}
    for name in ("query", "key", "value"):
        weight, bias = fold(getattr(attention, name), components, mean)
        parts[name] = torch.cat([weight, bias[:, None]], dim=1).chunk(heads, dim=0)
    columns = output.chunk(heads, dim=1)
    return [{**{name: parts[name][head] for name in parts}, "output": columns[head]} for head in range(heads)]


def resize_head(head: dict[str, torch.Tensor], width: int) -> dict[str, torch.Tensor]:
    """Return a head's query, key and value at another width. Scores and values change as little as possible.

    The scores depend only on the product query^T key, and the layer's output only on the product of output and value. Both products are
    truncated to their largest singular values. A wider head keeps both products and gets additional small random rows.
    """
    old = head["query"].shape[0]
    if width == old:
        return {name: head[name] for name in ("query", "key", "value")}
    # BERT divides scores by the square root of the head's width, so a new width would change them.
    scale = (width / old) ** 0.25
    query, key = _factors(head["query"].T @ head["key"], width)
    _, value = _factors(head["output"] @ head["value"], width)
    return {"query": query * scale, "key": key * scale, "value": value}


def _factors(product: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    left, values, right = torch.linalg.svd(product.double(), full_matrices=False)
    kept = min(rank, int((values > values[0] * 1e-6).sum()))
    root = values[:kept].sqrt()
    signs = torch.sign(right[:kept].gather(1, right[:kept].abs().argmax(dim=1, keepdim=True))).squeeze(1)
    factors = (left[:, :kept] * (root * signs)).T, (root * signs)[:, None] * right[:kept]
    return _pad(factors[0].float(), rank), _pad(factors[1].float(), rank)


def _pad(rows: torch.Tensor, count: int) -> torch.Tensor:
    return torch.cat([rows, SMALL * torch.randn(count - len(rows), rows.shape[1])])

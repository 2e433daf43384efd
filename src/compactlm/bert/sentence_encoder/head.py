"""The modules of a sentence encoder in torch, for training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from compactlm.bert.arrays import Array
from compactlm.bert.sentence_encoder.dense import ACTIVATIONS, Dense
from compactlm.bert.sentence_encoder.modules import SentenceModules


class SentenceHead(nn.Module):
    """Pooling, dense layers and normalisation, with gradients. It gives the same vectors as `SentenceModules`.

    Attributes:
        layers: the linear layers, in order; their activations are fixed.
    """

    def __init__(self, modules: SentenceModules) -> None:
        """Take the poolings, the activations and a copy of the weights."""
        super().__init__()
        self.pooling, self.normalise = modules.pooling, modules.normalise
        self.activations = [layer.activation for layer in modules.dense]
        self.layers = nn.ModuleList(_linear(layer) for layer in modules.dense)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return the sentence vectors, float [rows, width of the vectors].

        Args:
            hidden: float [rows, tokens, width].
            mask: [rows, tokens], 1 for tokens that count, [CLS] and [SEP] among them, and 0 for padding.
        """
        return self.apply_layers(self.pool(hidden, mask))

    def pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return pooled vectors, float [rows, modes * width]."""
        return torch.cat([POOLINGS[mode](hidden, mask.to(hidden.dtype)) for mode in self.pooling], dim=-1)

    def apply_layers(self, pooled: Tensor) -> Tensor:
        """Return the sentence vectors of pooled vectors."""
        for layer, activation in zip(self.layers, self.activations, strict=True):
            pooled = FUNCTIONS[activation](layer(pooled))
        return nn.functional.normalize(pooled, dim=-1) if self.normalise else pooled

    def dense(self) -> tuple[Dense, ...]:
        """Return the current layers, to write them."""
        return tuple(
            Dense(_values(layer.weight), None if layer.bias is None else _values(layer.bias), activation)
            for layer, activation in zip(self.layers, self.activations, strict=True)
        )


def _values(parameter: Any) -> Array:
    values: Array = parameter.detach().float().cpu().numpy()
    return values.copy()


def _linear(layer: Dense) -> nn.Linear:
    height, width = layer.weight.shape
    linear = nn.utils.skip_init(nn.Linear, width, height, bias=layer.bias is not None)  # no draw from the global generator
    linear.weight.data.copy_(torch.from_numpy(layer.weight))
    if layer.bias is not None:
        linear.bias.data.copy_(torch.from_numpy(layer.bias))
    return linear


def _first(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[torch.arange(len(hidden), device=hidden.device), mask.argmax(dim=1)]


def _last(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[torch.arange(len(hidden), device=hidden.device), mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)]


def _greatest(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.masked_fill(mask[:, :, None] == 0, float("-inf")).amax(dim=1)


def _sum(hidden: Tensor, weights: Tensor) -> Tensor:
    return (hidden * weights[:, :, None]).sum(dim=1)


def _count(weights: Tensor) -> Tensor:
    return weights.sum(dim=1, keepdim=True).clamp(min=1e-9)


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask) / _count(mask)


def _mean_by_root(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask) / _count(mask).sqrt()


def _weighted_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return _mean(hidden, mask * torch.arange(1, mask.shape[1] + 1, device=mask.device))


POOLINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cls": _first,
    "max": _greatest,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_by_root,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}
FUNCTIONS: dict[str, nn.Module] = {name: getattr(nn, name.rpartition(".")[2])() for name in ACTIVATIONS}

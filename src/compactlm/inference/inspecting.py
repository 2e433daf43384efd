"""Inspect a text with a model: tokens, ids, attention, and predictions at each position."""

from __future__ import annotations

import dataclasses

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.inference.arguments import check_whole
from compactlm.inference.filling import Candidate, likeliest
from compactlm.inference.runtime.model import Model


@dataclasses.dataclass(frozen=True)
class Position:
    """One token of a text.

    Attributes:
        piece: the token.
        id: its id in the vocabulary.
        predictions: the likeliest tokens at this position, given the whole text.
        attends_to: for each layer, the positions to which this token attends most, and their shares (averaged over heads); empty if the
            backend does not return attention.
    """

    piece: str
    id: int
    predictions: list[Candidate]
    attends_to: list[list[tuple[int, float]]]


@dataclasses.dataclass(frozen=True)
class Inspection:
    """The positions of a text; `cut` is the number of truncated tokens at its end."""

    positions: list[Position]
    cut: int


def inspect(model: Model, text: str, top_k: int = 3) -> Inspection:
    """Return the tokens that the masked language model reads, each with its `top_k` predictions and attention shares.

    Raises:
        CompactLMError: `top_k` is not a whole number of at least 1.
    """
    check_whole("top_k", top_k, 1)
    ids = model.tokenizer.encode([text])[0]
    read = model.tokenizer.cut(ids)
    batch = model.batch([read])
    logits = model.runner.masked_logits(batch, batch.attention_mask.astype(bool))
    attentions = model.runner.attentions(batch)
    layers = [] if attentions is None else list(attentions[:, 0].mean(axis=1))
    positions = [
        Position(
            model.tokenizer.token(index), index, likeliest(model, logits[row], top_k), [_largest(layer[row], top_k) for layer in layers]
        )
        for row, index in enumerate(read)
    ]
    return Inspection(positions, len(ids) - len(read))


def _largest(shares: Array, top_k: int) -> list[tuple[int, float]]:
    return [(int(position), float(shares[position])) for position in np.argsort(-shares, kind="stable")[:top_k]]

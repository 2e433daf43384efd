"""What a model sees in a text: pieces, ids, what each layer attends to, and what it would put at each position."""

from __future__ import annotations

import dataclasses

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.inference.filling import Candidate, likeliest
from compactlm.inference.runtime.model import Model


@dataclasses.dataclass(frozen=True)
class Position:
    """One piece of a text.

    Attributes:
        piece: the piece.
        id: its number in the vocabulary.
        predictions: what the model finds likeliest here, with this piece in its place.
        attends_to: for each layer the pieces that this one attends to most, as positions with their share of the
            attention (mean over heads); empty where the backend does not show attention.
    """

    piece: str
    id: int
    predictions: list[Candidate]
    attends_to: list[list[tuple[int, float]]]


@dataclasses.dataclass(frozen=True)
class Inspection:
    """A text as a model reads it; `cut` pieces at its end were not read."""

    positions: list[Position]
    cut: int


def inspect(model: Model, text: str, top_k: int = 3) -> Inspection:
    """Return what the masked language model sees in a text, with the `top_k` likeliest pieces and greatest shares of attention."""
    ids = model.pieces.encode([text])[0]
    read = model.pieces.cut(ids)
    batch = model.batch([read])
    logits = model.runner.masked_logits(batch, batch.attention_mask.astype(bool))
    attentions = model.runner.attentions(batch)
    layers = [] if attentions is None else list(attentions[:, 0].mean(axis=1))
    positions = [
        Position(model.pieces.piece(index), index, likeliest(model, logits[row], top_k), [_greatest(layer[row], top_k) for layer in layers])
        for row, index in enumerate(read)
    ]
    return Inspection(positions, len(ids) - len(read))


def _greatest(shares: Array, top_k: int) -> list[tuple[int, float]]:
    return [(int(position), float(shares[position])) for position in np.argsort(-shares, kind="stable")[:top_k]]

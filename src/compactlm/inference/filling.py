"""Fill masks: the likeliest pieces where [MASK] stands."""

from __future__ import annotations

import dataclasses

import numpy as np

from compactlm.bert.arrays import Array, softmax
from compactlm.bert.special_tokens import MASK
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.model import Model


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A piece and its probability, 0 to 1; a piece that begins with ## goes on a word."""

    piece: str
    probability: float


def fill(model: Model, text: str, top_k: int = 5) -> list[list[Candidate]]:
    """Return the `top_k` likeliest pieces for each [MASK] of a text, from left to right, the likeliest first.

    A text that is longer than the model can read is read around each of its masks.

    Raises:
        CompactLMError: the text has no [MASK].
    """
    ids = model.pieces.encode([text])[0]
    masks = [position for position, index in enumerate(ids) if index == model.pieces.mask]
    if not masks:
        raise CompactLMError(f'the text has no {MASK}; write {MASK} where a piece is wanted, as in "The cat sits on the {MASK}."')
    if len(ids) <= model.pieces.limit:
        batch = model.batch([ids])
        logits = model.runner.masked_logits(batch, batch.input_ids == model.pieces.mask)
        return [likeliest(model, row, top_k) for row in logits]
    windows = [model.pieces.around(ids, position) for position in masks]
    found: list[list[Candidate]] = [[] for _ in masks]
    for rows, logits in model.masked_logits([window for window, _ in windows], [position for _, position in windows]):
        for row, values in zip(rows, logits, strict=True):
            found[row] = likeliest(model, values, top_k)
    return found


def likeliest(model: Model, logits: Array, top_k: int) -> list[Candidate]:
    """Return the pieces of the `top_k` greatest of logits, float [vocabulary]; equal ones in the order of their ids."""
    probabilities = softmax(logits)
    best = np.argsort(-probabilities, kind="stable")[:top_k]
    return [Candidate(model.pieces.piece(int(index)), float(probabilities[index])) for index in best]

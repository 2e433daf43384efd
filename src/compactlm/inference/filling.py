"""Fill masks: the likeliest tokens for each [MASK]."""

from __future__ import annotations

import dataclasses

import numpy as np

from compactlm.bert.arrays import Array, softmax
from compactlm.bert.special_tokens import MASK
from compactlm.errors import CompactLMError
from compactlm.inference.arguments import check_whole
from compactlm.inference.runtime.model import Model


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A token (`piece`) and its probability, 0 to 1; a token that begins with ## continues a word."""

    piece: str
    probability: float


def fill(model: Model, text: str, top_k: int = 5) -> list[list[Candidate]]:
    """Return the `top_k` likeliest tokens for each [MASK] of a text, from left to right, the likeliest first.

    If a text is longer than the model accepts, each mask is filled from the text around it.

    Raises:
        CompactLMError: the text has no [MASK], or `top_k` is less than 1.
    """
    check_whole("top_k", top_k, 1)
    tokenizer = model.tokenizer
    ids = tokenizer.encode([text])[0]
    masks = [position for position, index in enumerate(ids) if index == tokenizer.mask]
    if not masks:
        raise CompactLMError(f'the text has no {MASK}; write {MASK} in place of a token, as in "The cat sits on the {MASK}."')
    if len(ids) <= tokenizer.limit:
        batch = model.batch([ids])
        logits = model.runner.masked_logits(batch, batch.input_ids == tokenizer.mask)
        return [likeliest(model, row, top_k) for row in logits]
    windows = [tokenizer.around(ids, position) for position in masks]
    found: list[list[Candidate]] = [[] for _ in masks]
    for rows, logits in model.masked_logits([window for window, _ in windows], [position for _, position in windows]):
        for row, values in zip(rows, logits, strict=True):
            found[row] = likeliest(model, values, top_k)
    return found


def likeliest(model: Model, logits: Array, top_k: int) -> list[Candidate]:
    """Return the tokens of the `top_k` largest logits, float [vocabulary]. Equal logits keep the order of their ids."""
    probabilities = softmax(logits)
    best = np.argsort(-probabilities, kind="stable")[:top_k]
    return [Candidate(model.tokenizer.token(int(index)), float(probabilities[index])) for index in best]

"""Batches of sequences of similar length, as arrays; no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compactlm.errors import CompactLMError

BATCH_TOKENS = 4096

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Batch:
    """Sequences side by side, padded on the right.

    Attributes:
        input_ids: int64 [rows, tokens].
        attention_mask: int64 [rows, tokens], 1 for tokens and 0 for padding.
    """

    input_ids: Array
    attention_mask: Array


def pad(sequences: Sequence[Sequence[int]], padding: int) -> Batch:
    """Return a batch of at least one sequence, as wide as the longest."""
    longest = max(map(len, sequences))
    input_ids = np.full((len(sequences), longest), padding, dtype=np.int64)
    attention_mask = np.zeros((len(sequences), longest), dtype=np.int64)
    for row, sequence in enumerate(sequences):
        input_ids[row, : len(sequence)] = sequence
        attention_mask[row, : len(sequence)] = 1
    return Batch(input_ids, attention_mask)


def by_length(lengths: Sequence[int], batch_tokens: int = BATCH_TOKENS) -> list[list[int]]:
    """Group positions by length into batches of at most `batch_tokens` tokens, padding included.

    A single sequence that is longer is a batch of its own. Each position occurs once, the shortest first.
    """
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[position] <= batch_tokens:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches


def check_finite(values: Array, weights: Path) -> Array:
    """Return the values that a model gave, and raise CompactLMError where one of them is no finite number."""
    if not np.isfinite(values).all():
        raise CompactLMError(f"{weights} gives values that are no finite numbers; restore it with `dvc checkout`, or copy the model again")
    return values


def softmax(logits: Array) -> Array:
    """Return the probabilities along the last axis, float64."""
    logits = logits.astype(np.float64)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)

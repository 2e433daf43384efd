"""Batches of token sequences: grouped by length and padded. No torch, so that the finished model needs none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.draws import draw_generator

BATCH_TOKENS = 4096
POOL = 4096  # this many sequences are sorted by length together, for little padding and a new mixture in every epoch


@dataclasses.dataclass(frozen=True)
class Batch:
    """Sequences side by side, padded on the right.

    Attributes:
        input_ids: int64 [rows, tokens].
        attention_mask: int64 [rows, tokens], 1 for tokens and 0 for padding.
        token_types: int64 [rows, tokens], 1 for tokens of a second text; None if no sequence has one, which means 0.
    """

    input_ids: Array
    attention_mask: Array
    token_types: Array | None = None


def pad(sequences: Sequence[Sequence[int]], padding: int = 0, seconds: Sequence[int | None] | None = None) -> Batch:
    """Return a batch of at least one sequence, as wide as the longest.

    Args:
        sequences: token ids.
        padding: the id of [PAD].
        seconds: for each sequence the position of the first token of its second text, or None without one.
    """
    longest = max(map(len, sequences))
    input_ids = np.full((len(sequences), longest), padding, dtype=np.int64)
    attention_mask = np.zeros((len(sequences), longest), dtype=np.int64)
    for row, sequence in enumerate(sequences):
        input_ids[row, : len(sequence)] = sequence
        attention_mask[row, : len(sequence)] = 1
    if seconds is None or all(start is None for start in seconds):
        return Batch(input_ids, attention_mask)
    token_types = np.zeros_like(input_ids)
    for row, (sequence, start) in enumerate(zip(sequences, seconds, strict=True)):
        if start is not None:
            token_types[row, start : len(sequence)] = 1
    return Batch(input_ids, attention_mask, token_types)


def make_batches(lengths: Sequence[int], batch_tokens: int = BATCH_TOKENS, key: str | None = None, pool: int = POOL) -> list[list[int]]:
    """Group sequences into batches of at most `batch_tokens` tokens, padding included.

    A single longer sequence is a batch of its own. The result is the same on every machine.

    Args:
        lengths: the number of tokens of each sequence.
        batch_tokens: the largest product of rows and longest row.
        key: the seed of a random order, for instance "17/general/0"; None sorts all sequences by length, the shortest first.
        pool: the number of sequences that are sorted by length together, if there is a key.

    Returns:
        Lists of positions in `lengths`. Each position occurs once.
    """
    order = list(range(len(lengths)))
    generator = None if key is None else draw_generator(key)
    if generator:
        generator.shuffle(order)
    size = pool if generator else max(len(order), 1)
    batches: list[list[int]] = []
    for start in range(0, len(order), size):
        batch: list[int] = []
        for position in sorted(order[start : start + size], key=lengths.__getitem__):
            if batch and (len(batch) + 1) * lengths[position] > batch_tokens:
                batches.append(batch)
                batch = []
            batch.append(position)
        batches.append(batch)
    if generator:
        generator.shuffle(batches)
    return batches

"""Batches of sequences of similar length, the same for a seed on every machine."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

POOL = 4096  # sequences that are sorted by length together: little padding, yet a fresh mixture every epoch


def make_batches(lengths: Sequence[int], batch_tokens: int, key: str | None) -> list[list[int]]:
    """Group positions into batches of at most `batch_tokens` tokens, padding included.

    Args:
        lengths: the number of tokens of each sequence.
        batch_tokens: the greatest product of rows and longest row; a longer single sequence is a batch of its own.
        key: the seed of the order, for instance "17/general/0"; None keeps batches sorted by length.

    Returns:
        Lists of positions in `lengths`; each position occurs once.
    """
    order = list(range(len(lengths)))
    generator = random.Random(key) if key is not None else None
    if generator:
        generator.shuffle(order)
    pool_size = POOL if generator else max(len(order), 1)
    batches: list[list[int]] = []
    for start in range(0, len(order), pool_size):
        pool = sorted(order[start : start + pool_size], key=lengths.__getitem__)
        batch: list[int] = []
        for position in pool:
            if batch and (len(batch) + 1) * lengths[position] > batch_tokens:
                batches.append(batch)
                batch = []
            batch.append(position)
        if batch:
            batches.append(batch)
    if generator:
        generator.shuffle(batches)
    return batches


def pad(sequences: Sequence[Sequence[int]], padding: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return input ids and attention mask, both int64 [rows, longest row]."""
    longest = max(len(sequence) for sequence in sequences)
    input_ids = torch.full((len(sequences), longest), padding, dtype=torch.int64)
    attention_mask = torch.zeros_like(input_ids)
    for row, sequence in enumerate(sequences):
        input_ids[row, : len(sequence)] = torch.tensor(sequence)
        attention_mask[row, : len(sequence)] = 1
    return input_ids, attention_mask

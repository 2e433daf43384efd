"""Pooling: one vector for each row from the hidden states of its tokens. No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from compactlm.bert.arrays import Array


def pool(hidden: Array, mask: Array, modes: Sequence[str]) -> Array:
    """Return one vector for each row, float32 [rows, modes * width]; the results of several modes are concatenated.

    Args:
        hidden: float32 [rows, tokens, width].
        mask: [rows, tokens], 1 for tokens that count, [CLS] and [SEP] among them, and 0 for padding.
        modes: names from POOLINGS.
    """
    return np.concatenate([POOLINGS[mode](hidden, mask.astype(np.float32)) for mode in modes], axis=-1, dtype=np.float32)


def _first(hidden: Array, mask: Array) -> Array:
    found: Array = hidden[np.arange(len(hidden)), mask.argmax(axis=1)]
    return found


def _last(hidden: Array, mask: Array) -> Array:
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    found: Array = hidden[np.arange(len(hidden)), last]
    return found


def _greatest(hidden: Array, mask: Array) -> Array:
    greatest: Array = np.where(mask[:, :, None] > 0, hidden, -np.inf).max(axis=1)
    return greatest


def _sum(hidden: Array, weights: Array) -> Array:
    return np.einsum("rtw,rt->rw", hidden, weights)


def _count(weights: Array) -> Array:
    count: Array = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return count


def _mean(hidden: Array, mask: Array) -> Array:
    return _sum(hidden, mask) / _count(mask)


def _mean_by_root(hidden: Array, mask: Array) -> Array:
    return _sum(hidden, mask) / np.sqrt(_count(mask))


def _weighted_mean(hidden: Array, mask: Array) -> Array:
    return _mean(hidden, mask * np.arange(1, mask.shape[1] + 1, dtype=np.float32))


# The names that sentence-transformers writes.
POOLINGS: dict[str, Callable[[Array, Array], Array]] = {
    "cls": _first,
    "max": _greatest,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_by_root,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}

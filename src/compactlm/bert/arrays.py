"""Arrays that a model returns. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compactlm.errors import CompactLMError

Array = npt.NDArray[Any]


def check_finite(values: Array, weights: Path) -> Array:
    """Return a model's outputs unchanged.

    Raises:
        CompactLMError: a value is not a finite number; the message names the file of the weights.
    """
    if not np.isfinite(values).all():
        raise CompactLMError(f"{weights} returns values that are not finite numbers; run `dvc checkout`, or copy the model again")
    return values


def softmax(logits: Array) -> Array:
    """Return probabilities along the last axis, float64."""
    logits = logits.astype(np.float64)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def unit(vectors: Array) -> Array:
    """Scale rows to length 1, float32; rows of zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 1e-12, lengths, 1)).astype(np.float32)

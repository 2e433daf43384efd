"""The affine map from mean hidden states to a sentence embedding, fitted once and saved next to the model.

The hidden states of a BERT lie in a narrow cone, so the cosine of any two means is near 1 (Ethayarajh 2019). Centring and whitening correct
this without training (Su et al. 2021, "Whitening sentence representations").
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from compactlm.bert.arrays import Array
from compactlm.errors import CompactLMError

FILE = "projection.safetensors"
FIRST, LAST = 0, -1  # hidden states: the output of the embeddings, and of the last layer
LAYERS = (FIRST, LAST)
FLOOR = 0.3


@dataclasses.dataclass(frozen=True)
class Projection:
    """(features - mean) @ weight, where the features are the concatenated means of some layers, each scaled to length 1.

    Attributes:
        layers: FIRST, LAST, or both.
        mean: float32 [layers * width].
        weight: float32 [layers * width, output width].
    """

    layers: tuple[int, ...]
    mean: Array
    weight: Array

    def apply(self, means: Array) -> Array:
        """Project mean hidden states, [rows, layers * width], to float32 [rows, output width]."""
        projected: Array = (features(means, len(self.layers)) - self.mean) @ self.weight
        return projected.astype(np.float32)

    def save(self, directory: Path) -> None:
        """Write the projection next to a model."""
        tensors = {"layers": np.array(self.layers), "mean": self.mean, "weight": self.weight}
        save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, directory / FILE)


def features(means: Array, layers: int) -> Array:
    """Scale the part of each layer in mean hidden states, [rows, layers * width], to length 1; zeros stay zeros."""
    parts = means.reshape(len(means), layers, -1)
    lengths = np.linalg.norm(parts, axis=-1, keepdims=True)
    found: Array = (parts / np.where(lengths > 1e-12, lengths, 1)).reshape(means.shape)
    return found


def load_projection(directory: Path, width: int) -> Projection | None:
    """Read the projection next to a model; None if there is none.

    Raises:
        CompactLMError: the file is damaged, or belongs to another model.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    try:
        tensors = load_file(path)
        layers = tuple(int(layer) for layer in tensors["layers"])
        found = Projection(layers, tensors["mean"], tensors["weight"])
    except (SafetensorError, OSError, KeyError) as error:
        raise CompactLMError(f"{path} cannot be read ({error}); restore it with `dvc checkout`, or copy the model again") from None
    size = len(layers) * width
    if not set(layers) <= set(LAYERS) or found.mean.shape != (size,) or found.weight.shape[:1] != (size,):
        raise CompactLMError(f"{path} does not fit the model next to it, which has hidden size {width}; copy the model again")
    return found


def fit_whitening(means: Array, layers: tuple[int, ...] = LAYERS, floor: float = FLOOR) -> Projection:
    """Return the projection that centres features and gives all directions about the same variance.

    Args:
        means: mean hidden states, float [texts, layers * width]. Use at least twice as many texts as there are columns.
        layers: which hidden states these are.
        floor: share of the mean variance that is added to the variance of each direction, so that noise is not amplified. With infinity,
            features are only centred.
    """
    values = features(means, len(layers)).astype(np.float64)
    mean = values.mean(axis=0)
    _, spread, directions = np.linalg.svd(values - mean, full_matrices=False)
    variances = spread**2 / len(values)
    scales = 1 / np.sqrt(variances / variances.mean() + floor) if np.isfinite(floor) else np.ones_like(variances)
    # Rotating back makes the result independent of the signs of the directions.
    weight = directions.T * scales @ directions
    return Projection(layers, mean.astype(np.float32), weight.astype(np.float32))

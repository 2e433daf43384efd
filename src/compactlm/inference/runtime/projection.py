"""What turns means of hidden states into a sentence embedding: an affine map, fitted once and kept beside the model.

The hidden states of BERTs lie in a narrow cone, so that the cosine of any two means is near 1 (Ethayarajh 2019); centring
and whitening them mends that without training (Su et al. 2021, "Whitening sentence representations").
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
FIRST, LAST = 0, -1  # hidden states: what the embeddings give, and what the last layer gives
LAYERS = (FIRST, LAST)
FLOOR = 0.3


@dataclasses.dataclass(frozen=True)
class Projection:
    """(features - mean) @ weight, where the features are the means of some layers, each of length 1, side by side.

    Attributes:
        layers: FIRST, LAST, or both.
        mean: float32 [layers * width].
        weight: float32 [layers * width, output width].
    """

    layers: tuple[int, ...]
    mean: Array
    weight: Array

    def apply(self, means: Array) -> Array:
        """Return the projected vectors, float32 [rows, output width], of means of hidden states [rows, layers * width]."""
        projected: Array = (features(means, len(self.layers)) - self.mean) @ self.weight
        return projected.astype(np.float32)

    def save(self, directory: Path) -> None:
        """Write it beside a model."""
        tensors = {"layers": np.array(self.layers), "mean": self.mean, "weight": self.weight}
        save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, directory / FILE)


def features(means: Array, layers: int) -> Array:
    """Return means of hidden states, [rows, layers * width], with each layer's part of length 1; a part of zeros stays."""
    parts = means.reshape(len(means), layers, -1)
    lengths = np.linalg.norm(parts, axis=-1, keepdims=True)
    found: Array = (parts / np.where(lengths > 1e-12, lengths, 1)).reshape(means.shape)
    return found


def load_projection(directory: Path, width: int) -> Projection | None:
    """Read the projection that lies beside a model; None where there is none.

    Raises:
        CompactLMError: it is damaged, or is of another model.
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
        raise CompactLMError(f"{path} does not fit the model beside it, whose hidden states have {width} values; copy the model again")
    return found


def fit_whitening(means: Array, layers: tuple[int, ...] = LAYERS, floor: float = FLOOR) -> Projection:
    """Return the projection that centres features and gives all their directions about the same variance.

    Args:
        means: means of the hidden states of some text, float [texts, layers * width], of a few times as many texts as values.
        layers: which hidden states these are.
        floor: added to each direction's variance, as a share of the mean variance, so that directions of mere noise are
            not blown up; infinity only centres.
    """
    values = features(means, len(layers)).astype(np.float64)
    mean = values.mean(axis=0)
    _, spread, directions = np.linalg.svd(values - mean, full_matrices=False)
    variances = spread**2 / len(values)
    scales = 1 / np.sqrt(variances / variances.mean() + floor) if np.isfinite(floor) else np.ones_like(variances)
    # Turned back, so that equal inputs give equal values whatever signs the directions came with.
    weight = directions.T * scales @ directions
    return Projection(layers, mean.astype(np.float32), weight.astype(np.float32))

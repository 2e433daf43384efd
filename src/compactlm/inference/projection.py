"""What turns the mean of hidden states into a sentence embedding: an affine map, fitted once and kept beside the model.

The hidden states of BERTs lie in a narrow cone, so that the cosine of any two means is near 1 (Ethayarajh 2019); centring
and whitening them mends that without training (Su et al. 2021, "Whitening sentence representations").
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from compactlm.errors import CompactLMError
from compactlm.inference.batching import Array

FILE = "projection.safetensors"


@dataclasses.dataclass(frozen=True)
class Projection:
    """(vectors - mean) @ weight.

    Attributes:
        mean: float32 [width].
        weight: float32 [width, output width].
    """

    mean: Array
    weight: Array

    def apply(self, vectors: Array) -> Array:
        """Return the projected vectors, float32 [rows, output width], of vectors [rows, width]."""
        projected: Array = (vectors - self.mean) @ self.weight
        return projected.astype(np.float32)

    def save(self, directory: Path) -> None:
        """Write it beside a model."""
        save_file({"mean": np.ascontiguousarray(self.mean), "weight": np.ascontiguousarray(self.weight)}, directory / FILE)


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
        found = Projection(tensors["mean"], tensors["weight"])
    except (SafetensorError, OSError, KeyError) as error:
        raise CompactLMError(f"{path} cannot be read ({error}); restore it with `dvc checkout`, or copy the model again") from None
    if found.mean.shape != (width,) or found.weight.shape[:1] != (width,) or not np.isfinite(found.weight).all():
        raise CompactLMError(f"{path} does not fit the model beside it, whose hidden states have {width} values; copy the model again")
    return found


def fit_whitening(vectors: Array, floor: float) -> Projection:
    """Return the projection that centres vectors and gives all their directions about the same variance.

    Args:
        vectors: means of hidden states, float [texts, width], of at least a few times as many texts as width.
        floor: added to each direction's variance, as a share of the mean variance, so that directions of mere noise are
            not blown up; infinity only centres.
    """
    mean = vectors.mean(axis=0)
    _, values, directions = np.linalg.svd((vectors - mean).astype(np.float64), full_matrices=False)
    variances = values**2 / len(vectors)
    scales = 1 / np.sqrt(variances / variances.mean() + floor) if np.isfinite(floor) else np.ones_like(variances)
    # Turned back, so that equal inputs give equal values whatever signs the directions came with.
    weight = directions.T * scales @ directions
    return Projection(mean.astype(np.float32), weight.astype(np.float32))

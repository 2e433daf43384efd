"""Vectors of texts, as arrays or as the sparse matrices of scikit-learn. Rows have length 1 or are zeros."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure

Vectors = Any  # float [texts, width], dense or sparse; scipy has no types
Texts = Sequence[str]
Embed = Callable[[Texts], Vectors]
Figures = dict[str, Figure]


def cosines(first: Vectors, second: Vectors) -> npt.NDArray[np.float32]:
    """Return the cosine of every row of `first` with every row of `second`, float32 [rows of first, rows of second]."""
    product = first @ second.T
    dense = product.toarray() if issparse(product) else product
    return np.asarray(dense, dtype=np.float32)


def paired_cosines(first: Vectors, second: Vectors) -> npt.NDArray[np.float64]:
    """Return the cosine of each row of `first` with the same row of `second`, float64 [rows]."""
    if issparse(first):
        return np.asarray(first.multiply(second).sum(axis=1), dtype=np.float64).ravel()
    return np.einsum("rw,rw->r", first, second, dtype=np.float64)


class Cached:
    """An `Embed` that computes each text's vector once, so that all calls return exactly the same vector."""

    def __init__(self, embed: Embed) -> None:
        self._embed, self._known = embed, dict[str, npt.NDArray[np.float32]]()

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the vectors of texts, float32 [texts, width]."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, np.asarray(self._embed(new), dtype=np.float32), strict=True))
        return np.stack([self._known[text] for text in texts])


def share_of(values: npt.NDArray[np.float64], clusters: Sequence[str], resampler: Resampler) -> Figure:
    """Return the mean of values [rows]. Resamples draw whole clusters of rows."""
    drawn = resampler.sums(np.stack([values, np.ones(len(values))], axis=1), clusters)
    return resampler.figure(float(values.mean()), drawn[:, 0] / np.maximum(drawn[:, 1], 1), rows=len(values))


def by_contestant(found: Mapping[str, Mapping[str, Figure]]) -> dict[str, dict[str, Figure]]:
    """Exchange the outer and the inner keys of nested figures."""
    inner = dict.fromkeys(key for figures in found.values() for key in figures)
    return {key: {name: figures[key] for name, figures in found.items() if key in figures} for key in inner}

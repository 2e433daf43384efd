"""Agreement with the teacher: the rank correlation of the similarities of all sentence pairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from compactlm.evaluation.embeddings.vectors import Vectors, cosines
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure

Array = npt.NDArray[np.float64]


def spearman(vectors: Vectors, teacher: Vectors, resampler: Resampler) -> Figure:
    """Return Spearman's rank correlation between two embeddings' cosines of all pairs of the same sentences.

    Pairs with a common sentence are not independent, so resamples draw sentences. Ranking half a million pairs in each resample would take
    minutes. The interval therefore uses the influence of each sentence (Croux and Dehon 2010, https://doi.org/10.1007/s10260-010-0142-z).
    This linear approximation is exact in the limit of many sentences.
    """
    first, second = np.triu_indices(vectors.shape[0], k=1)
    pairs = (cosines(one, one)[first, second] for one in (vectors, teacher))
    value, influence = correlation(*pairs)
    sentences = vectors.shape[0]
    sums = np.bincount(first, influence, sentences) + np.bincount(second, influence, sentences)
    of_sentence = sums.astype(np.float64) * 2 / max(sentences - 1, 1)
    drawn = resampler.sums(of_sentence[:, None])[:, 0] / sentences
    return resampler.figure(value, np.clip(value + drawn, -1, 1), rows=sentences)


def correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[float, Array]:
    """Return Spearman's rank correlation of two series, and the influence of each entry on it, float64 [entries], with mean 0.

    The correlation is nan if all values of a series are equal.
    """
    ranks = [rankdata(values) for values in (first, second)]
    entries = len(ranks[0])
    varied = all(np.ptp(rank) > 0 for rank in ranks)
    value = float(np.corrcoef(*ranks)[0, 1]) if varied else float("nan")
    shares = [(rank - 0.5) / entries for rank in ranks]
    influence = shares[0] * shares[1] + _mean_above(shares[0], shares[1]) + _mean_above(shares[1], shares[0])
    return value, 12 * (influence - influence.mean())


def _mean_above(order: Array, values: Array) -> Array:
    """Return for each entry the sum of `values` over the entries that are not below it in `order`, divided by the number of entries."""
    sorted_by = np.argsort(order, kind="stable")
    above = np.empty_like(values)
    above[sorted_by] = np.cumsum(values[sorted_by][::-1])[::-1]
    return above / len(values)

"""Choose rows that cover a sample: greedy k-centre (Gonzalez 1985), as in core-sets (Sener and Savarese 2018, arXiv:1708.00489)."""

from __future__ import annotations

import numpy as np

from compactlm.bert.arrays import Array


def farthest_first(vectors: Array, count: int, covered: Array) -> list[int]:
    """Choose rows one by one; each is the farthest from all rows that are already chosen or covered. The first row wins a tie.

    The largest distance of a row to its nearest chosen or covered row is at most twice the optimum.

    Args:
        vectors: unit vectors, float32 [rows, width].
        count: number of rows to choose; fewer if there are fewer.
        covered: unit vectors that are already covered, such as those of labelled rows, float32 [any, width].
    """
    if not len(vectors) or not count:
        return []
    # The distance of unit vectors falls with their product, so the least similar row is the farthest.
    chosen: list[int] = []
    nearest = (vectors @ covered.T).max(axis=1) if len(covered) else np.zeros(len(vectors))
    while len(chosen) < min(count, len(vectors)):
        best = int(np.argmin(nearest))
        similar = vectors @ vectors[best]
        nearest = np.maximum(nearest, similar) if chosen or len(covered) else similar
        chosen.append(best)
        nearest[chosen] = np.inf
    return chosen

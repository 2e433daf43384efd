"""The decision threshold of a classifier with two labels."""

from __future__ import annotations

import numpy as np

MINIMUM_ROWS = 100  # with fewer validation rows the best threshold is due to chance


def best_threshold(probabilities: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the threshold with the highest accuracy, or among several such thresholds the one nearest to 0.5.

    Args:
        probabilities: the probability of the second label, float [rows].
        targets: label ids, 0 or 1 [rows].

    Returns:
        The probability from which the second label is predicted; None with fewer rows than MINIMUM_ROWS, or if 0.5 is best.
    """
    if len(targets) < MINIMUM_ROWS:
        return None
    values = np.unique(probabilities)
    candidates = [0.5, *((values[:-1] + values[1:]) / 2).tolist()]
    right = [int(((probabilities >= candidate) == (targets == 1)).sum()) for candidate in candidates]
    best = max(range(len(candidates)), key=lambda at: (right[at], -abs(candidates[at] - 0.5)))
    return None if candidates[best] == 0.5 else float(candidates[best])

"""The probability from which a classifier of two labels should give the second one."""

from __future__ import annotations

import numpy as np

FEWEST_ROWS = 100  # of validation; on fewer the best threshold is an accident


def best_threshold(probabilities: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the threshold of the second label's probability that is right on most rows, the nearest to 0.5 of several.

    Args:
        probabilities: of the second label, [rows].
        targets: 0 or 1, [rows].

    Returns:
        None where there are fewer rows than FEWEST_ROWS, or where no threshold does better than 0.5.
    """
    if len(targets) < FEWEST_ROWS:
        return None
    values = np.unique(probabilities)
    candidates = [0.5, *((values[:-1] + values[1:]) / 2).tolist()]
    right = [int(((probabilities >= candidate) == (targets == 1)).sum()) for candidate in candidates]
    best = max(range(len(candidates)), key=lambda at: (right[at], -abs(candidates[at] - 0.5)))
    return None if candidates[best] == 0.5 else float(candidates[best])

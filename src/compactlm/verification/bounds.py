"""How far two runs may differ by rounding alone. docs/reviewing.md says how to measure this."""

from __future__ import annotations

import math
import re

WEIGHTS = 0.05  # of a tensor's norm, and of a sampled value as a share of the tensor's root mean square
STEP = 1  # of a value of a tensor of integers, such as int8 weights
NUMBERS = 0.05  # of a number in a text or a metric, as a share of the greater one
SUMS = 0.02  # of the sum of a table's column, or of its squares, as a share of the greater one
NEAR_ZERO = 0.005  # numbers that differ by less are equal
INTERVAL = 0.5  # of half the width of a figure's interval
ROWS = 0.005  # share of a table's rows that rounding may change, for example copies that the teacher just labels otherwise
EXACT_STAGES = ("ingest", "clean", "split")  # no model runs in these, so their rows must be equal
MACHINE = re.compile(
    r"^reports/timings/|^reports/plots/report/|^reports/(index\.html|model-card\.md)$"
)  # these hold times, or repeat figures


def gap(old: float, new: float) -> float:
    """Return the difference of two numbers as a share of the greater one; 0 for a difference up to NEAR_ZERO."""
    difference = abs(old - new)
    return 0.0 if difference <= NEAR_ZERO else difference / max(abs(old), abs(new))


def number_bound(old: float, new: float, width: float | None = None) -> float:
    """Return how far two numbers may differ; `width` is half the width of the interval of the figure that they belong to."""
    greater = max(abs(old), abs(new))
    if isinstance(old, int) and isinstance(new, int):
        return max(NUMBERS * greater, 1 + math.sqrt(greater))  # a count
    return max(NUMBERS * greater, NEAR_ZERO, INTERVAL * width if width is not None else 0.0)

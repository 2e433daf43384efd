"""Whether a figure rests on rows enough to be judged."""

from __future__ import annotations

MINIMUM_ROWS = 30  # a figure of fewer rows is marked as not to be judged


def judged(rows: int) -> int:
    """Return 1 where there are rows enough for a figure to be judged, else 0."""
    return int(rows >= MINIMUM_ROWS)

"""Choose rows to label: some at random, some that the model is unsure of, and some that differ from all others.

The random rows are drawn first, from all rows, so they are an unbiased sample for a test set. The other rows are chosen for training; a
test on them would be biased.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.draws import draw_items
from compactlm.improvement.describing import Described
from compactlm.improvement.picking.centres import farthest_first
from compactlm.improvement.rows import Row, row_id

RANDOM, MARGIN, DIVERSITY = "random", "margin", "diversity"


@dataclasses.dataclass(frozen=True)
class Shares:
    """The shares of picked rows that are drawn at random or chosen for diversity. The rest have the smallest margins."""

    random: float = 0.3
    diversity: float = 0.2

    def counts(self, count: int, *, margins: bool) -> dict[str, int]:
        """Return how many of `count` rows are chosen in each way. Without margins, diversity gets their share."""
        drawn = round(count * self.random)
        diverse = round(count * self.diversity) if margins else count - drawn
        diverse = min(diverse, count - drawn)
        return {RANDOM: drawn, MARGIN: count - drawn - diverse, DIVERSITY: diverse}


@dataclasses.dataclass(frozen=True)
class Pick:
    """The position of a picked row among the candidates, and the way in which it was chosen."""

    at: int
    by: str


def pick(rows: Sequence[Row], described: Described, covered: Array, count: int, shares: Shares, seed: int) -> list[Pick]:
    """Return picked rows in random order, so that annotators cannot see how they were chosen.

    Args:
        rows: the candidates.
        described: the model's description of the candidates, with vectors.
        covered: the vectors of labelled rows, [any, width]. Rows near them are not chosen for diversity.
        count: number of rows; all candidates if they are fewer.
        shares: the share of rows that are chosen in each way.
        seed: the seed of the draws.
    """
    assert described.vectors is not None  # noqa: S101 - candidates have texts
    count = min(count, len(rows))
    counts = shares.counts(count, margins=described.probabilities is not None)
    names = [row_id(row.text) for row in rows]

    def draw(positions: Sequence[int], most: int, what: str) -> list[int]:
        return draw_items(positions, most, what, seed, key=lambda at: names[at])

    chosen = [Pick(at, RANDOM) for at in draw(range(len(rows)), counts[RANDOM], "random picks")]
    taken = {one.at for one in chosen}
    left = [at for at in range(len(rows)) if at not in taken]
    if described.probabilities is not None:
        unsure = margins(described.probabilities)
        own = sorted(left, key=lambda at: (float(unsure[at]), names[at]))[: counts[MARGIN]]
        chosen += [Pick(at, MARGIN) for at in own]
        left = sorted(set(left).difference(own))
    near = np.concatenate([covered, described.vectors[[one.at for one in chosen]]])
    chosen += [Pick(left[at], DIVERSITY) for at in farthest_first(described.vectors[left], counts[DIVERSITY], near)]
    by_row = {one.at: one for one in chosen}
    return [by_row[at] for at in draw(sorted(by_row), count, "order of picks")]


def margins(probabilities: Array) -> Array:
    """Return the margin: the likeliest label's probability minus the second's, [rows] (Scheffer et al. 2001); 0 is least certain."""
    two = np.sort(np.asarray(probabilities, dtype=np.float64), axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def picked_fields(rows: Sequence[Row], described: Described, labels: Sequence[str], picked: Sequence[Pick]) -> list[dict[str, Any]]:
    """Return the fields of the picked rows: the fields of the file, id, text, picked_by, and the model's answer."""
    confidence, answers = described.confidence, described.answers
    found = []
    for one in picked:
        row = rows[one.at]
        fields = {**row.fields, "id": row_id(row.text), "text": row.text, "picked_by": one.by}
        if confidence is not None and answers is not None:
            fields |= {"predicted": labels[int(answers[one.at])], "probability": round(float(confidence[one.at]), 4)}
        found.append(fields)
    return found

"""Test whether two samples of rows differ, by permuting which row belongs to which sample.

The level holds for all statistics together (single-step min-p of Westfall and Young 1993): if nothing has changed, at least one of them is
significant in the share `level` of all cases. The only assumption of a permutation test is that rows are independent.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.improvement.describing import SPLIT, UNKNOWN, WORDS, Described
from compactlm.improvement.drift.classifier import areas, held_out_weights

TEXT, UNKNOWN_WORDS, SPLIT_WORDS, LABELS, CONFIDENCE = "text", "unknown_words", "split_words", "labels", "confidence"
Statistics = dict[str, Array]


@dataclasses.dataclass(frozen=True)
class Pool:
    """Rows of both samples in random order, so that ties do not depend on the sample.

    Attributes:
        described: the rows.
        new: whether each row belongs to the second sample, bool [rows].
        order: the position of each row before the rows were shuffled, int64 [rows].
        weights: the matrix of classifier.held_out_weights; None if the texts are not known.
    """

    described: Described
    new: Array
    order: Array
    weights: Array | None

    @classmethod
    def of(cls, old: Described, new: Described | None, seed: int) -> Pool:
        """Shuffle the rows of two samples, or of one. Data that one of them lacks is left out."""
        parts = [old] if new is None else [old, new]
        total = sum(map(len, parts))
        order = np.random.default_rng(seed).permutation(total)
        values = {field.name: _joined([getattr(part, field.name) for part in parts], order) for field in dataclasses.fields(Described)}
        described = Described(**values)  # type: ignore[arg-type]
        weights = None if described.vectors is None else held_out_weights(described.vectors, seed)
        return cls(described, order >= len(old), order, weights)

    def statistics(self, labelings: Array) -> Statistics:
        """Return each statistic for each labeling, float64 [labelings]. A larger value is stronger evidence of a difference.

        Args:
            labelings: whether each row belongs to the second sample, bool [labelings, rows]. Each labeling has rows of both samples.
        """
        chosen, found, rows = labelings.astype(np.float64), {}, self.described
        if self.weights is not None:
            found[TEXT] = areas(self.weights, labelings)
        for name, column in ((UNKNOWN_WORDS, UNKNOWN), (SPLIT_WORDS, SPLIT)):
            found[name] = np.abs(_difference(chosen, rows.counts[:, column], rows.counts[:, WORDS]))
        if rows.answers is not None and rows.probabilities is not None and rows.confidence is not None:
            given = np.eye(rows.probabilities.shape[1])[rows.answers]
            found[LABELS] = np.sum([np.abs(_difference(chosen, one, np.ones(len(one)))) for one in given.T], axis=0) / 2
            found[CONFIDENCE] = np.abs(_difference(chosen, rows.confidence, np.ones(len(rows))))
        return found


def _joined(parts: list[Array | None], order: Array) -> Array | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known)[order] if len(known) == len(parts) else None


def _difference(chosen: Array, values: Array, sizes: Array) -> Array:
    """Return for each labeling the ratio of sums in the second sample minus the ratio in the first."""
    both = np.stack([values, sizes], axis=1).astype(np.float64)
    second = chosen @ both
    first = both.sum(axis=0) - second
    return np.asarray(second[:, 0] / np.maximum(second[:, 1], 1) - first[:, 0] / np.maximum(first[:, 1], 1))


def draw_labelings(rows: int, new: int, count: int, generator: np.random.Generator) -> Array:
    """Return random labelings in which `new` rows belong to the second sample, bool [count, rows]."""
    return generator.permuted(np.tile(np.arange(rows) < new, (count, 1)), axis=1)


def adjusted(observed: Statistics, null: Statistics) -> dict[str, Array]:
    """Return by statistic the p-values of observed values, adjusted for the number of statistics, float64 [observed].

    Args:
        observed: the statistics of some labelings.
        null: the statistics of random labelings of the same rows.
    """
    names = list(null)
    drawn = np.stack([null[name] for name in names])
    smallest = np.sort(_tail_shares(drawn, drawn, themselves=True).min(axis=0))
    own = _tail_shares(np.stack([observed[name] for name in names]), drawn, themselves=False)
    as_small = 1 + np.searchsorted(smallest, own + 1e-12, side="right")
    return dict(zip(names, as_small / (drawn.shape[1] + 1), strict=True))


def _tail_shares(values: Array, null: Array, *, themselves: bool) -> Array:
    """Return the share of null values (including the value itself) that are at least as large, [statistics, values]."""
    found = np.empty(values.shape)
    for row, (own, drawn) in enumerate(zip(values, np.sort(null, axis=1), strict=True)):
        least = own - 1e-12  # equal values may differ by rounding
        above = len(drawn) - np.searchsorted(drawn, least, side="left")
        found[row] = (above + (not themselves)) / (len(drawn) + (not themselves))
    return found

"""The agreement of two annotators: Cohen's kappa (1960), the agreement beyond chance."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from compactlm.bert.arrays import Array
from compactlm.figures.figure import MINIMUM_ROWS, Figure
from compactlm.figures.numbers import count, interval, percent


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The share of rows with equal labels, Cohen's kappa of two annotators, and the ids of the rows with different labels."""

    first: str
    second: str
    equal: float
    kappa: Figure
    differ: tuple[str, ...]

    def line(self) -> str:
        """Return the agreement in one line."""
        names = f"{self.first or 'the unnamed annotator'} and {self.second}"
        return (
            f"{names}: {percent(self.equal)} of {count(self.kappa.rows)} rows have equal labels, Cohen's kappa {interval(self.kappa)}; "
            f"{count(len(self.differ))} differ"
        )


def agreements(answers: Mapping[str, Mapping[str, str]], seed: int = 0) -> list[Agreement]:
    """Return the agreement of each pair of annotators that have labelled common rows.

    Args:
        answers: the label of each row, by annotator and id.
        seed: the seed of the bootstrap resamples.
    """
    found = []
    for first, second in itertools.combinations(sorted(answers), 2):
        common = sorted(answers[first].keys() & answers[second].keys())
        if common:
            pairs = [(answers[first][row], answers[second][row]) for row in common]
            differ = tuple(row for row, (one, other) in zip(common, pairs, strict=True) if one != other)
            found.append(Agreement(first, second, 1 - len(differ) / len(common), kappa(pairs, seed), differ))
    return found


def kappa(pairs: Sequence[tuple[str, str]], seed: int = 0, resamples: int = 2000, level: float = 0.95) -> Figure:
    """Return Cohen's kappa of pairs of labels with the percentile interval over resamples of the rows.

    It has no value if both annotators give all rows the same label.
    """
    names = sorted({label for pair in pairs for label in pair})
    table = np.zeros((len(names), len(names)))
    for first, second in pairs:
        table[names.index(first), names.index(second)] += 1
    drawn = np.random.default_rng(seed).multinomial(len(pairs), table.ravel() / len(pairs), size=resamples)
    value = float(_kappas(table[None])[0])
    resampled = _kappas(drawn.reshape(resamples, *table.shape).astype(np.float64))
    finite = resampled[np.isfinite(resampled)]
    if not np.isfinite(value) or len(finite) < level * resamples:
        return Figure.measured(value, rows=len(pairs), rows_needed=MINIMUM_ROWS)
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Figure.measured(value, float(low), float(high), rows=len(pairs), rows_needed=MINIMUM_ROWS)


def _kappas(tables: Array) -> Array:
    """Return the kappa of each table of counts, [tables, labels, labels]; nan if the agreement of chance is 1."""
    totals = tables.sum(axis=(1, 2))
    equal = np.trace(tables, axis1=1, axis2=2) / totals
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / totals**2
    return np.divide(equal - chance, 1 - chance, out=np.full(len(tables), np.nan), where=chance < 1)

"""The table of a promotion. Champion and challenger answer the same rows, and the interval of each difference decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from compactlm.artifacts import Document
from compactlm.evaluation.slices import count_words, make_slices, words_of
from compactlm.fairness.groups import BOTH, NEITHER, categorise
from compactlm.figures.bootstrap import Array, Resampler, ratio, share
from compactlm.figures.figure import MINIMUM_ROWS, Figure, Limit, Status
from compactlm.improvement.promotion.settings import Promotion
from compactlm.params import Attribute, Slices

OLD, NEW, GAIN, FLIPS = "old test rows", "new test rows", "gain on old test rows", "negative flips"
MAIN = (OLD, NEW, GAIN)

Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Answered:
    """The rows of a task with the answers of both versions.

    Attributes:
        rows: old test rows, then new ones.
        is_new: whether a row is new, bool [rows].
        champion: the label that the version in use predicts for each row.
        challenger: the label that the new model predicts.
    """

    rows: Sequence[Document]
    is_new: Mask
    champion: Sequence[str]
    challenger: Sequence[str]

    @property
    def right(self) -> tuple[Mask, Mask]:
        """Whether champion and challenger answer each row correctly, bool [rows]."""
        expected = np.array([row.label for row in self.rows], dtype=object)
        before, after = (np.array(one, dtype=object) == expected for one in (self.champion, self.challenger))
        return before, after

    @property
    def flips(self) -> list[int]:
        """The rows that were right and are wrong now."""
        before, after = self.right
        return np.flatnonzero(before & ~after).tolist()


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Attributes:
        task: the task.
        name: the part of the rows, such as "old test rows" or "negation: with".
        champion: the share of rows that the version in use answers correctly; None for a line about both models.
        challenger: the same for the new model.
        figure: the difference with its limit; for negative flips, their share.
        decides: the number of rows from which on an undecided figure refuses.
    """

    task: str
    name: str
    champion: Figure | None
    challenger: Figure | None
    figure: Figure
    decides: int = 0

    @property
    def refuses(self) -> Status | None:
        """VIOLATED or UNDECIDED if the line refuses the promotion, else None. Too few old or new rows also refuse it."""
        status = self.figure.status
        if status is Status.NOT_JUDGED and self.name in MAIN:
            return Status.UNDECIDED
        if status is Status.UNDECIDED:
            return status if (self.figure.rows or 0) >= self.decides else None
        return status if status is Status.VIOLATED else None


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """The data to divide the rows of a task: the settings of slices, the counts of train words, and the protected attributes by name."""

    slices: Slices
    train_texts: Sequence[str]
    attributes: Mapping[str, Attribute]


def compare(task: str, answered: Answered, parts: Compared, settings: Promotion, resampler: Resampler) -> list[Line]:
    """Return the lines of a task: old rows, new rows, slices and groups of all rows, and negative flips.

    Without new rows, an additional line requires the gain on the old rows. A slice or a group needs MINIMUM_ROWS rows to be judged.
    """
    old, new = ~answered.is_new, answered.is_new
    gain, asked = (NEW, new) if new.any() else (GAIN, old)
    lines = [
        _line(task, OLD, answered, old, Limit(low=-settings.margin), settings.rows, resampler),
        _line(task, gain, answered, asked, Limit(low=settings.gain), settings.rows, resampler),
    ]
    for found, part in ((_slices(answered.rows, parts), settings.slices), (_groups(answered.rows, parts), settings.groups)):
        for name, mask in found:
            line = _line(task, name, answered, mask, Limit(low=-part.margin), MINIMUM_ROWS, resampler)
            lines.append(dataclasses.replace(line, decides=part.rows))
    most = None if settings.negative_flips is None else Limit(high=settings.negative_flips)
    flips = share(len(answered.flips), len(answered.rows), resampler.confidence)
    return [*lines, Line(task, FLIPS, None, None, flips.with_limit(most) if most else flips)]


def _line(task: str, name: str, answered: Answered, mask: Mask, limit: Limit, needed: int, resampler: Resampler) -> Line:
    before, after = (right[mask] for right in answered.right)
    champion, challenger = (share(int(right.sum()), len(right), resampler.confidence) for right in (before, after))
    documents = [f"{row.source}\0{row.document}" for row, chosen in zip(answered.rows, mask, strict=True) if chosen]
    return Line(task, name, champion, challenger, _difference(after.astype(float) - before, documents, limit, needed, resampler))


def _difference(differences: Array, documents: Sequence[str], limit: Limit, needed: int, resampler: Resampler) -> Figure:
    """Return the mean difference with its interval by the paired bootstrap over documents (figures/bootstrap.py)."""
    rows = len(differences)
    if not rows:
        return Figure.measured(None, rows=0, rows_needed=needed, limit=limit)
    drawn = resampler.sums(np.stack([differences, np.ones(rows)], axis=1), documents)
    about = {"rows": rows, "rows_needed": needed, "limit": limit}
    return resampler.figure(float(differences.mean()), ratio(drawn[:, 0], drawn[:, 1]), **about)


def _slices(rows: Sequence[Document], parts: Compared) -> Iterator[tuple[str, Mask]]:
    texts = [row.text for row in rows]
    seen = count_words(parts.train_texts, {word for text in texts for word in words_of(text)})
    for kind, slices in make_slices(texts, [row.source for row in rows], parts.slices, seen).items():
        yield from ((f"{kind.replace('_', ' ')}: {name}", mask) for name, mask in slices.items() if mask.any() and not mask.all())


def _groups(rows: Sequence[Document], parts: Compared) -> Iterator[tuple[str, Mask]]:
    for name, attribute in sorted(parts.attributes.items()):
        found = np.array(categorise(rows, name, attribute), dtype=object)
        for category in sorted(set(found.tolist()) - {BOTH, NEITHER}):
            yield f"{name}: {str(category).removesuffix('_only')}", found == category

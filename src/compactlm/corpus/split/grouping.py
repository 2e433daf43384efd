"""Which rows belong together: near-exact duplicates, texts of one document, near-duplicates; in arrays, a number a row."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.clusters import united
from compactlm.shards.keys import Keys

_OTHER = re.compile(r"[\W_]+")
_OTHER_ASCII = bytes(code for code in range(128) if not chr(code).isalnum())
Integers = npt.NDArray[np.int64]
Stratum = tuple[str, str | None, str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """What a split has to know of each row, in the order of their ids: 40 bytes.

    Attributes:
        strata: the different triples of source, task and label.
        stratum: the number of each row's triple.
        duplicates: equal for near-exact duplicates.
        documents: equal for rows of one document.
        drawn: a number that seed and document, or text, draw, for a split that is stable under growth.
    """

    strata: list[Stratum]
    stratum: Integers
    duplicates: Integers
    documents: Integers
    drawn: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.stratum)


def duplicate_key(text: str) -> str:
    """Return what near-exact duplicates share: the letters and digits of the text, whatever their case."""
    folded = text.casefold()
    if folded.isascii():  # most texts, and ten times as fast
        return folded.encode().translate(None, _OTHER_ASCII).decode() or text
    return _OTHER.sub("", folded) or text


def number_keys(keys: Keys) -> Integers:
    """Return a number for each key, equal for equal ones."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    different = np.concatenate([np.zeros(min(1, len(keys)), dtype=bool), (ordered[1:] != ordered[:-1]).any(axis=1)])
    numbers = np.zeros(len(keys), dtype=np.int64)
    numbers[order] = np.cumsum(different)
    return numbers


def group(numberings: Iterable[Integers]) -> Integers:
    """Return for each row the number of its group: rows are bound together that share a number, directly or by way of others.

    Args:
        numberings: of the same rows, equal numbers binding rows together.

    Returns:
        Groups numbered from 0 in the order of their first rows.
    """
    labels = np.zeros(0, dtype=np.int64)
    for numbering in numberings:
        rows = np.arange(len(numbering))
        first = _first_rows(numbering)[numbering]
        bound = np.flatnonzero(first != rows)
        labels = united(labels if len(labels) else rows, bound, first[bound])
    is_first = labels == np.arange(len(labels))
    return (np.cumsum(is_first) - 1)[labels]


def _first_rows(numbers: Integers) -> Integers:
    """Return the first row with each number."""
    first = np.zeros(numbers.max() + 1 if len(numbers) else 0, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]  # of several writes to one place the last one, of the first row, stays
    return first


def crossings(numberings: Mapping[str, Integers], homes: npt.NDArray[np.int8]) -> dict[str, int]:
    """Count the numbers of each numbering whose rows are in more than one split; a row in none (-1) does not count."""
    placed = homes >= 0
    counts = {}
    for name, numbering in numberings.items():
        several = np.unique(numbering[placed] * len(SPLITS) + homes[placed]) // len(SPLITS)  # a number as often as it has splits
        counts[name] = len(np.unique(several[1:][several[1:] == several[:-1]]))
    return counts

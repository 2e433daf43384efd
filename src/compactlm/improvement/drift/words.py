"""Find the words that distinguish two samples, by the number of rows that contain them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

CLEAR = 3.0  # standard errors from which a word is shown


@dataclasses.dataclass(frozen=True)
class Word:
    """A word, the shares of reference rows and of new rows that contain it, and their difference in standard errors."""

    word: str
    reference: float
    new: float
    score: float


def telling_words(
    reference: Mapping[str, int], rows: int, new: Mapping[str, int], new_rows: int, missing: int = 0, most: int = 10
) -> list[Word]:
    """Return the words that are clearly more frequent or clearly rarer in new rows, the clearest first.

    The score is the difference of the shares over its standard error, as in the z-test of two proportions.

    Args:
        reference: number of reference rows with each word.
        rows: number of reference rows.
        new: number of new rows with each word.
        new_rows: number of new rows.
        missing: the assumed number of reference rows for a word that is not in `reference`.
        most: the maximum number of words of each direction.
    """
    words = [_word(word, reference.get(word, missing), rows, new.get(word, 0), new_rows) for word in {**reference, **new}]
    clear = sorted((word for word in words if abs(word.score) >= CLEAR), key=lambda one: (-abs(one.score), one.word))
    return [word for sign in (1, -1) for word in [one for one in clear if sign * one.score > 0][:most]]


def _word(word: str, old: int, old_rows: int, new: int, new_rows: int) -> Word:
    pooled = (old + new) / (old_rows + new_rows)
    error = math.sqrt(pooled * (1 - pooled) * (1 / old_rows + 1 / new_rows))
    difference = new / new_rows - old / old_rows
    return Word(word, old / old_rows, new / new_rows, difference / error if error else 0.0)

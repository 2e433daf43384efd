"""The answers of kinds that answer with parts of a text."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Tags:
    """The tags of the words of a text.

    Attributes:
        tags: a tag a word.
        probabilities: the probability of each of these tags, 0 to 1.
        words: the words.
    """

    tags: tuple[str, ...]
    probabilities: tuple[float, ...]
    words: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A part of a passage that answers a question, or no answer.

    Attributes:
        text: the answer; None for no answer.
        start: its first character in the passage; -1 for no answer.
        end: the character after its last; -1 for no answer.
        score: the probability of this answer, or of no answer, among all places of the passage and no answer, 0 to 1.
    """

    text: str | None
    start: int
    end: int
    score: float

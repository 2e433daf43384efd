"""Clean rows whose labels belong to positions in the text (tags of words, answers in passages), and pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from compactlm.artifacts import NO_ANSWER
from compactlm.corpus.clean.filters.base import EMPTY, Dropped
from compactlm.corpus.duplicates.wholes import longer
from compactlm.tasks.tags.carrying import carry_pieces, carry_tags

LOST_ANSWER = "lost_answer"
LOST_TAG = "lost_tag"
COLUMNS = ("pair", "words", "tags", "answer", "answer_start")
Clean = Callable[[str], str | Dropped]


class Texts(NamedTuple):
    """The columns of a row that cleaning can change; see Document."""

    text: str
    pair: str | None = None
    words: list[str] | None = None
    tags: list[str] | None = None
    answer: str | None = None
    answer_start: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class TextCleaner:
    """Cleans rows so that every tag stays with its word, and every answer keeps its right position.

    Attributes:
        chain: the filters.
        unbounded: the same filters except those of length, which apply to a row as a whole.
    """

    chain: Clean
    unbounded: Clean

    def __call__(self, row: Texts) -> Texts | Dropped:
        """Return the clean row, or the reason to drop it: a filter drops it, a text of a pair is empty, or a label is lost."""
        if row.words is not None:
            return self._words(row.words, row.tags)
        if row.pair is None:
            text = self.chain(row.text)
            return text if isinstance(text, Dropped) else Texts(text)
        return self._pair(row, row.pair)

    def _pair(self, row: Texts, second: str) -> Texts | Dropped:
        text, pair = self.unbounded(row.text), self.unbounded(second)
        if isinstance(text, Dropped):
            return text
        if isinstance(pair, Dropped):
            return pair
        if not text or not pair:
            return Dropped(EMPTY)
        bounded = self.chain(longer(text, pair))
        if isinstance(bounded, Dropped):
            return bounded
        if row.answer is None or row.answer_start is None:
            return Texts(text, pair, answer_start=row.answer_start)
        found = self._answer(row.text, row.answer, row.answer_start, text)
        return Dropped(LOST_ANSWER) if found is None else Texts(text, pair, None, None, *found)

    def _answer(self, before: str, answer: str, start: int, text: str) -> tuple[str, int] | None:
        """Return the answer in a cleaned text and its position; None if the position is uncertain."""
        if start == NO_ANSWER:
            return None
        cleaned, beginning = self.unbounded(answer), self.unbounded(before[:start])
        if isinstance(cleaned, Dropped) or not cleaned:
            return None
        if not isinstance(beginning, Dropped) and text.startswith(beginning):
            rest = text[len(beginning) :]
            if rest.lstrip().startswith(cleaned):
                return cleaned, len(text) - len(rest.lstrip())
        # Filters that read beyond the answer may change what is before it.
        once = before.find(answer) == before.rfind(answer) and text.find(cleaned) == text.rfind(cleaned)
        return (cleaned, text.find(cleaned)) if once and cleaned in text else None

    def _words(self, words: list[str], tags: list[str] | None) -> Texts | Dropped:
        # Word by word first, because then it is certain whose label each word has.
        pieces = [self._pieces(word) for word in words]
        single = [word for found in pieces for word in found]
        carried = None if tags is None else carry_pieces(tags, [len(found) for found in pieces])
        if tags is not None and carried is None:
            return Dropped(LOST_TAG)
        text = self.chain(" ".join(single))
        if isinstance(text, Dropped):
            return text
        together = text.split()
        if carried is not None and together != single:
            carried = carry_tags(single, carried, together)
            if carried is None:
                return Dropped(LOST_TAG)
        return Texts(" ".join(together), None, together, carried)

    def _pieces(self, word: str) -> list[str]:
        cleaned = self.unbounded(word)
        return [word] if isinstance(cleaned, Dropped) else cleaned.split()

"""Choose which text of a row changes in a copy: its only text, one side of a pair, or the question about a passage."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from compactlm.artifacts import Document
from compactlm.draws import draw_bits
from compactlm.params import Task
from compactlm.tasks import kind_of


@dataclasses.dataclass(frozen=True, slots=True)
class Sides:
    """Changes rows as the kind of their task allows. The seed draws which side of a pair changes. Rows without a task are plain texts."""

    tasks: Mapping[str, Task]
    seed: int

    def text(self, row: Document, copy: int) -> str:
        """Return the text of a row that changes in the copy with this number."""
        task = self.tasks.get(row.task or "")
        return row.text if task is None else kind_of(task).editable(self._exchanged(row, copy))

    def changed(self, row: Document, copy: int, text: str) -> Document | None:
        """Return the row with a new text in place of the one that `text` returns; None if its labels would no longer fit."""
        task = self.tasks.get(row.task or "")
        if task is None:
            return dataclasses.replace(row, text=text)
        changed = kind_of(task).edited(self._exchanged(row, copy), " ".join(text.split()) if row.words is not None else text)
        return None if changed is None else self._exchanged(changed, copy)

    def _exchanged(self, row: Document, copy: int) -> Document:
        """Return the row, or the row with its two texts exchanged if the second is the side to change."""
        # An answer belongs to its passage; the kind itself knows that only the question may change.
        if row.pair is None or row.answer_start is not None or draw_bits("side", self.seed, row.id, copy) % 2 == 0:
            return row
        return dataclasses.replace(row, text=row.pair, pair=row.text)


def is_labelled(row: Document) -> bool:
    """Return whether a row has a label, or another target of a task."""
    return any(value is not None for value in (row.label, row.labels, row.score, row.tags, row.answer_start))


def changed_texts(row: Document, copy: Document) -> tuple[str, str]:
    """Return the text that differs between a row and its copy, before and after."""
    if row.text == copy.text and row.pair is not None and copy.pair is not None:
        return row.pair, copy.pair
    return row.text, copy.text


def texts_of(rows: Iterable[Document]) -> Iterator[str]:
    """Yield the texts of rows; a pair yields both texts."""
    for row in rows:
        yield row.text
        if row.pair is not None:
            yield row.pair

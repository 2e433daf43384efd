"""The labelling of one file by one annotator: next row, answer, undo. Each answer is written before the next row is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from compactlm.improvement.labelling.answers import ANNOTATOR, LABEL, NOBODY
from compactlm.improvement.rows import as_line, read_fields, replace_file, with_id

MODEL_FIELDS = ("predicted", "probability")  # they are not shown, so that the model does not lead the annotator


class Session:
    """An annotator's answers to rows. A second session on the same files continues where the first one stopped.

    Attributes:
        rows: the rows to label, each with text and id.
        annotator: the name of the annotator, or NOBODY.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], path: Path, annotator: str = NOBODY, again: Collection[str] = ()) -> None:
        """Read earlier answers.

        Args:
            rows: the fields of each row, with its text.
            path: the .jsonl file of answers, which need not exist.
            annotator: the name of the annotator.
            again: the ids of rows to answer again. Other rows that have answers are left out.

        Raises:
            CompactLMError: the file cannot be read.
        """
        self.path, self.annotator = path, annotator
        self.rows = [with_id(row, row["text"]) for row in rows]
        # A line that a crash left unfinished has no fields.
        lines = (line for line in read_fields(path) if isinstance(line.get("text"), str)) if path.is_file() else ()
        self._lines: list[dict[str, Any]] = [with_id(line, line["text"]) for line in lines]
        done = {line["id"] for line in self._lines if self._is_own(line)}
        self._open = [row for row in self.rows if row["id"] in again or (not again and row["id"] not in done)]
        self._answered: list[dict[str, Any]] = []
        if not again:
            by_id = {row["id"]: row for row in self.rows}
            self._answered = [by_id[line["id"]] for line in self._lines if self._is_own(line) and line["id"] in by_id]

    def _is_own(self, line: Mapping[str, Any]) -> bool:
        return (line.get(ANNOTATOR) or NOBODY) == self.annotator

    @property
    def current(self) -> dict[str, Any] | None:
        """The row to label; None if all rows have an answer."""
        return self._open[0] if self._open else None

    @property
    def left(self) -> int:
        """The number of rows without an answer."""
        return len(self._open)

    def answer(self, label: str | None) -> None:
        """Write the label of the current row, and go to the next one; None skips the row."""
        row = self._open.pop(0)
        kept = {name: value for name, value in row.items() if name not in MODEL_FIELDS}
        line = {**kept, LABEL: label, **({ANNOTATOR: self.annotator} if self.annotator else {})}
        self._lines.append(line)
        self._answered.append(row)
        self._write()

    def undo(self) -> bool:
        """Undo this annotator's last answer, even of an earlier session, and show its row again. Return False if there is none."""
        if not self._answered:
            return False
        row = self._answered.pop()
        at = max(at for at, line in enumerate(self._lines) if self._is_own(line) and line["id"] == row["id"])
        del self._lines[at]
        self._open.insert(0, row)
        self._write()
        return True

    def _write(self) -> None:
        replace_file(self.path, lambda file: file.writelines(map(as_line, self._lines)))

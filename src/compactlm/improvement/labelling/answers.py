"""Labelled rows. A file has one line per answer; a row gets a label if all annotators agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compactlm.errors import CompactLMError
from compactlm.improvement.rows import read_fields, row_id
from compactlm.text.labels import find_label, label_text
from compactlm.text.unicode import encodable

LABEL, ANNOTATOR, PICKED_BY = "label", "annotator", "picked_by"
NOBODY = ""  # the annotator of a file without the field


@dataclasses.dataclass(frozen=True)
class LabelledRow:
    """A row with its label. `picked_by` is the way in which `pick` chose it, or None for any other row."""

    id: str
    text: str
    label: str
    picked_by: str | None


@dataclasses.dataclass(frozen=True)
class Labelled:
    """The labelled rows of a file.

    Attributes:
        rows: rows whose answers all agree, in the order of the file.
        disagreed: the ids of the rows whose answers differ.
        skipped: number of lines without a text or a label.
        answers: the label of each row, by annotator and id.
    """

    rows: list[LabelledRow]
    disagreed: list[str]
    skipped: int
    answers: Mapping[str, Mapping[str, str]]


def read_answers(path: Path, labels: Sequence[str], text: str = "text", label: str = LABEL) -> Labelled:
    """Read a labelled file: jsonl, csv, tsv or Parquet.

    For each annotator and row, the last answer counts. The id of a row is computed from its text; ids in the file are ignored.

    Args:
        path: the file.
        labels: the labels of the task. Other spellings of a number or a truth value are accepted.
        text: the field of the text.
        label: the field of the label.

    Raises:
        CompactLMError: the file cannot be read, has a label that the task does not have, or has no labelled row.
    """
    found = resolve(read_fields(path), labels, str(path), text, label)
    if not found.rows and not found.disagreed:
        raise CompactLMError(f"{path} has no row with a text in {text!r} and a label in {label!r}; label rows with `compactlm label` first")
    return found


def resolve(lines: Iterable[Mapping[str, Any]], labels: Sequence[str], where: str, text: str = "text", label: str = LABEL) -> Labelled:
    """Return the labelled rows of the lines of a file; see `read_answers`."""
    answers: dict[str, dict[str, str]] = {}
    rows: dict[str, Mapping[str, Any]] = {}
    skipped = 0
    for number, fields in enumerate(lines, start=1):
        content, given = fields.get(text), known_label(fields.get(label), labels, f"{where}, row {number}")
        if not isinstance(content, str) or not content.strip() or given is None:
            skipped += 1
            continue
        content = encodable(content)
        name = row_id(content)
        rows.setdefault(name, {"text": content, PICKED_BY: fields.get(PICKED_BY) or None})
        answers.setdefault(str(fields.get(ANNOTATOR) or NOBODY), {})[name] = given
    kept, disagreed = [], []
    for name, row in rows.items():
        different = {own[name] for own in answers.values() if name in own}
        if len(different) == 1:
            kept.append(LabelledRow(name, row["text"], different.pop(), row[PICKED_BY]))
        else:
            disagreed.append(name)
    return Labelled(kept, disagreed, skipped, answers)


def known_label(value: object, labels: Sequence[str], where: str) -> str | None:
    """Return the label of the task that a cell holds; None for an empty cell.

    Raises:
        CompactLMError: the cell holds something else.
    """
    try:
        given = label_text(value)
    except ValueError as error:
        raise CompactLMError(f"{where}: {error}; write one of: {', '.join(labels)}") from None
    if not given:
        return None
    found = find_label(given, labels)
    if found is None:
        raise CompactLMError(f"{where}: {given!r} is no label of the task; write one of: {', '.join(labels)}")
    return found

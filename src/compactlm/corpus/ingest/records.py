"""Rows of a source to documents: text, document key and label read from their columns, and an id made from the content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable

from compactlm.artifacts import Document
from compactlm.corpus.ingest.selection import cell_at, joined_text
from compactlm.errors import CompactLMError
from compactlm.params import ColumnLabel, Columns, DocumentPart, JoinedColumns, Task, ThresholdLabel
from compactlm.text.tables import Row
from compactlm.text.unicode import encodable


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """What a row of a source says.

    Attributes:
        text: the text, as it stands in the source.
        document: key of the document within the source, or None where each row is one.
        label: name of the label, or None for a source without a task.
        attributes: value of each protected attribute that has a column, None for an empty cell.
    """

    text: str
    document: str | None
    label: str | None
    attributes: tuple[tuple[str, str | None], ...] = ()


def to_record(row: Row, place: str, columns: Columns, task: Task | None) -> Record:
    """Read a record from a row.

    Args:
        row: cells by column.
        place: the source, file and line for messages.
        columns: which column holds what.
        task: the task that the source belongs to, or None: then labels are not read.

    Raises:
        CompactLMError: a column is missing, the text is no text, or the label is not one of the task's.
    """
    rule = columns.text if isinstance(columns.text, JoinedColumns) else JoinedColumns(columns=[columns.text], separator="")
    text = joined_text(row, rule.columns, rule.separator, place)
    document = _document(row, columns.document, place)
    label = None if task is None or columns.label is None else _label(row, columns.label, place, task)
    return Record(text=encodable(text), document=document, label=label, attributes=_attributes(row, columns, place))


def to_document(record: Record, source: str, task: str | None) -> Document:
    """Give a record an id that it shares with its exact repeats, which `row_id` numbers."""
    name = row_id(source, record.document, record.text, 0)
    document = name if record.document is None else record.document
    return Document(
        id=name, source=source, text=record.text, document=document, task=task, label=record.label, attributes=record.attributes
    )


def row_id(source: str, document: str | None, text: str, repeat: int) -> str:
    """Return the id of a row: 32 hexadecimal digits of its source, its document (None where it is one itself), its text and its number.

    Args:
        source: the source's name.
        document: the document's key within the source.
        text: the text as it stands in the source.
        repeat: 0, and 1, 2, ... for exact repeats.
    """
    return hashlib.blake2b(json.dumps([source, document, text, repeat]).encode(), digest_size=16).hexdigest()


def sha256_of(documents: Iterable[Document]) -> str:
    """Return the sha256 over what was taken from a source: id, document, label, text and attributes of rows that come sorted by id."""
    digest = hashlib.sha256()
    for document in documents:
        attributes = [document.attributes] if document.attributes else []  # so that the hash of a source without any stays what it was
        digest.update(json.dumps([document.id, document.document, document.label, document.text, *attributes]).encode() + b"\n")
    return digest.hexdigest()


def check_label_names(name: str, columns: Columns, task: Task) -> None:
    """Refuse a source whose labels can never be among the task's; raises CompactLMError."""
    if isinstance(columns.label, ThresholdLabel):
        names = [columns.label.below, columns.label.above]
    elif columns.label is not None and columns.label.names is not None:
        names = list(columns.label.names.values())
    else:
        return
    for label in names:
        if label not in task.labels:
            raise CompactLMError(
                f"ingest.sources.{name}.columns.label names {label!r}, which is not among the labels of its task "
                f"({', '.join(task.labels)}); use one of these or declare it there"
            )


def _document(row: Row, column: str | int | DocumentPart | None, place: str) -> str | None:
    if column is None:
        return None
    cell = cell_at(row, column.column if isinstance(column, DocumentPart) else column, place, "document")
    key = "" if cell is None else encodable(str(cell).strip())
    # A row that names no document is a document of its own.
    return (key.split(column.before, maxsplit=1)[0] if isinstance(column, DocumentPart) else key) or None


def _attributes(row: Row, columns: Columns, place: str) -> tuple[tuple[str, str | None], ...]:
    found = []
    for name, column in sorted(columns.attributes.items()):
        cell = cell_at(row, column, place, f"attributes.{name}")
        found.append((name, None if cell is None else encodable(str(cell).strip()) or None))
    return tuple(found)


def _label(row: Row, rule: ThresholdLabel | ColumnLabel, place: str, task: Task) -> str:
    value = cell_at(row, rule.column, place, "label")
    if isinstance(rule, ThresholdLabel):
        return _threshold(value, rule, place)
    given = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value).strip()
    if not given:
        raise CompactLMError(f"{place}: the label column {rule.column!r} is empty; label the row or remove it")
    label = given if rule.names is None else rule.names.get(given)
    if label not in task.labels:
        allowed = task.labels if rule.names is None else list(rule.names)
        raise CompactLMError(
            f"{place}: the label {given!r} is not declared ({', '.join(allowed)}); correct the row, or add the label to the task's labels "
            "and to columns.label.names"
        )
    return str(label)


def _threshold(value: object, rule: ThresholdLabel, place: str) -> str:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        raise CompactLMError(
            f"{place}: the label column {rule.column!r} holds {value!r}, which is no number; correct the row or the column"
        )
    return rule.above if number > rule.threshold else rule.below

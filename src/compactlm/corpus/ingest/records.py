"""Records and documents from the rows of a source: their parts from columns, and an id from the content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from compactlm.artifacts import Document
from compactlm.errors import CompactLMError
from compactlm.params import ColumnLabel, Columns, DocumentPart, JoinedColumns, QueryLines, Task, ThresholdLabel
from compactlm.text.labels import find_label, is_missing, label_text
from compactlm.text.tables import Row
from compactlm.text.unicode import encodable

SHOWN = 80  # messages show this many characters of a value


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """The content of a row of a source.

    `document` is None if the row is its own document, `label` is None without a task, and an empty cell of an attribute is None.
    """

    text: str
    document: str | None
    label: str | None
    attributes: tuple[tuple[str, str | None], ...] = ()
    queries: tuple[str, ...] = ()


def to_record(row: Row, place: str, columns: Columns, task: Task | None) -> Record:
    """Read a record from a row; labels are ignored without a task. `place` is the source, file and line, for messages.

    Raises:
        CompactLMError: a column is missing, the text or a query is not a string, or the task does not have the label.
    """
    rule = columns.text if isinstance(columns.text, JoinedColumns) else JoinedColumns(columns=[columns.text], separator="")
    text = joined_text(row, rule.columns, rule.separator, place)
    document = _document(row, columns.document, place)
    label = None if task is None or columns.label is None else _label(row, columns.label, place, task)
    attributes, queries = _attributes(row, columns, place), _queries(row, columns.queries, place)
    return Record(text=encodable(text), document=document, label=label, attributes=attributes, queries=queries)


def to_document(record: Record, source: str, task: str | None) -> Document:
    """Return a document whose id it shares with exact repeats of the row until `number_repeats` numbers them."""
    name = row_id(source, record.document, record.text, 0)
    return Document(
        id=name,
        source=source,
        text=record.text,
        document=name if record.document is None else record.document,
        task=task,
        label=record.label,
        attributes=record.attributes,
        queries=record.queries,
    )


def row_id(source: str, document: str | None, text: str, repeat: int) -> str:
    """Return the id of a row, 32 hexadecimal digits that depend on all arguments.

    `document` is None if the row is its own document, and `repeat` numbers equal rows from 0.
    """
    return hashlib.blake2b(json.dumps([source, document, text, repeat]).encode(), digest_size=16).hexdigest()


def sha256_of(documents: Iterable[Document]) -> str:
    """Return the sha256 over id, document, label, text, attributes and queries of the rows of a source, which come sorted by id."""
    digest = hashlib.sha256()
    for document in documents:
        # A source without attributes or queries keeps its hash.
        more: list[object] = [document.attributes] if document.attributes else []
        more += [{"queries": document.queries}] if document.queries else []
        digest.update(json.dumps([document.id, document.document, document.label, document.text, *more]).encode() + b"\n")
    return digest.hexdigest()


def check_label_names(name: str, columns: Columns, task: Task) -> None:
    """Raise CompactLMError if a source can give a label that its task does not have."""
    if isinstance(columns.label, ThresholdLabel):
        names = [columns.label.below, columns.label.above]
    elif columns.label is not None and columns.label.names is not None:
        names = list(columns.label.names.values())
    else:
        return
    for label in names:
        if label not in task.labels:
            raise CompactLMError(
                f"ingest.sources.{name}.columns.label names {label!r}, but its task has the labels {', '.join(task.labels)}; "
                "use one of these or add the label to the task"
            )


def cell_at(row: Row, column: str | int, place: str, role: str) -> object:
    """Return the cell of a column, given by name, position, or a path of names and positions such as `answers.0.text`.

    A name that contains dots wins over a path. Messages name the place of the row, and `role`, the key of the column in params.yaml.

    Raises:
        CompactLMError: the column does not exist.
    """
    if column in row:
        return row[column]
    value: object = row
    for step in column.split(".") if isinstance(column, str) else [column]:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, Sequence) and not isinstance(value, str) and str(step).isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            present = ", ".join(repr(name) for name in row) or "none"
            raise CompactLMError(
                f"{place}: the column {column!r} of columns.{role} does not exist (columns here: {present}); use one of these"
            )
    return value


def joined_text(row: Row, columns: Sequence[str | int], separator: str, place: str) -> str:
    """Return the joined texts of several columns, without empty cells and nulls.

    Raises:
        CompactLMError: a column is missing or does not hold text.
    """
    parts = []
    for column in columns:
        value = cell_at(row, column, place, "text")
        if value is not None and not isinstance(value, str):
            shown = repr(value) if len(repr(value)) <= SHOWN else repr(value)[:SHOWN] + "..."
            raise CompactLMError(f"{place}: the text column {column!r} holds {shown}, which is not text; correct columns.text")
        if value:
            parts.append(value)
    return separator.join(parts)


def _document(row: Row, column: str | int | DocumentPart | None, place: str) -> str | None:
    if column is None:
        return None
    cell = cell_at(row, column.column if isinstance(column, DocumentPart) else column, place, "document")
    key = "" if is_missing(cell) else encodable(str(cell).strip())
    # A row without a document is its own document.
    return (key.split(column.before, maxsplit=1)[0] if isinstance(column, DocumentPart) else key) or None


def _attributes(row: Row, columns: Columns, place: str) -> tuple[tuple[str, str | None], ...]:
    found = []
    for name, column in sorted(columns.attributes.items()):
        cell = cell_at(row, column, place, f"attributes.{name}")
        found.append((name, None if is_missing(cell) else encodable(str(cell).strip()) or None))
    return tuple(found)


def _queries(row: Row, rule: str | int | QueryLines | None, place: str) -> tuple[str, ...]:
    if rule is None:
        return ()
    column = rule.lines_of if isinstance(rule, QueryLines) else rule
    cell = cell_at(row, column, place, "queries")
    cells = [] if cell is None else list(cell) if isinstance(cell, Sequence) and not isinstance(cell, str) else [cell]
    texts = [text for text in cells if isinstance(text, str)]
    if len(texts) < len(cells):
        shown = f"{next(text for text in cells if not isinstance(text, str))!r:.{SHOWN}}"
        raise CompactLMError(f"{place}: the column {column!r} holds {shown}, which is not text; correct columns.queries")
    if isinstance(rule, QueryLines):
        prefix = re.compile(rule.prefix or "")
        texts = [line[start.end() :] if (start := prefix.match(line)) else line for text in texts for line in text.splitlines()]
    return tuple(sorted({encodable(stripped) for text in texts if (stripped := text.strip())}))


def _label(row: Row, rule: ThresholdLabel | ColumnLabel, place: str, task: Task) -> str:
    value = cell_at(row, rule.column, place, "label")
    if isinstance(rule, ThresholdLabel):
        return _threshold(value, rule, place)
    try:
        given = label_text(value)
    except ValueError as error:
        raise CompactLMError(
            f"{place}: the label column {rule.column!r} is wrong: {error}; name a column with one label in each row"
        ) from None
    if not given:
        raise CompactLMError(f"{place}: the label column {rule.column!r} is empty; add a label or remove the row")
    allowed = task.labels if rule.names is None else list(rule.names)
    found = find_label(given, allowed)
    label = found if rule.names is None or found is None else rule.names[found]
    if label not in task.labels:
        raise CompactLMError(
            f"{place}: the label {given!r} is not declared ({', '.join(allowed)}); correct the row, or add the label to the labels of the "
            "task and to columns.label.names"
        )
    return label


def _threshold(value: object, rule: ThresholdLabel, place: str) -> str:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        raise CompactLMError(
            f"{place}: the label column {rule.column!r} holds {value!r}, which is not a number; correct the row or the column"
        )
    return rule.above if number > rule.threshold else rule.below

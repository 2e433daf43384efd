"""Turn the rows of a source into records and documents. Columns give their parts, and the content gives an id."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Sequence

from compactlm.artifacts import TARGETS, Document
from compactlm.corpus.ingest.cells import SHOWN, cell_at, joined_text, text_at
from compactlm.corpus.ingest.targets import read_targets
from compactlm.corpus.ingest.words import read_words
from compactlm.errors import CompactLMError
from compactlm.params import Columns, DocumentPart, JoinedColumns, QueryLines, Task
from compactlm.tasks.base import Targets
from compactlm.text.expressions import BoundedExpression
from compactlm.text.formats.tables import Row
from compactlm.text.labels import is_missing
from compactlm.text.unicode import encodable

_TARGET_FIELDS = tuple(field.name for fields in TARGETS.values() for field in fields)


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """The content of a row of a source.

    `document` is None if the row is its own document. `targets` is None for an unlabelled row. `pair` is None in a source without pairs. An
    empty cell of an attribute is None.
    """

    text: str
    document: str | None
    targets: Targets | None = None
    attributes: tuple[tuple[str, str | None], ...] = ()
    queries: tuple[str, ...] = ()
    pair: str | None = None
    words: tuple[str, ...] | None = None


def to_record(row: Row, place: str, columns: Columns, task: Task | None) -> Record:
    """Read a record from a row. Without a task, labels are ignored. `place` is the source, file and line, for messages.

    Raises:
        CompactLMError: a column is missing, a text or a query is not a string, or a label or its position is wrong.
        AnswerNotFoundError: the answer does not occur in the text, and the source skips such rows.
    """
    words, word_counts = (None, ()) if columns.words is None else read_words(row, columns.words, place)
    text = " ".join(words or ()) if columns.text is None else _text(row, columns.text, place)
    targets = None if task is None else read_targets(row, text, word_counts, columns, place, task)
    return Record(
        text=text,
        document=_document(row, columns.document, place),
        targets=targets,
        attributes=_attributes(row, columns, place),
        queries=_queries(row, columns.queries, place),
        pair=None if columns.pair is None else text_at(row, columns.pair, place, "pair").strip(),
        words=words,
    )


def to_document(record: Record, source: str, task: str | None) -> Document:
    """Return a document. Exact repeats of a row have the same id until `number_repeats` numbers them."""
    name = row_id(source, record.document, record.text, 0, record.pair)
    return Document(
        id=name,
        source=source,
        text=record.text,
        document=name if record.document is None else record.document,
        task=None if record.targets is None else task,
        attributes=record.attributes,
        queries=record.queries,
        pair=record.pair,
        words=record.words,
        **({} if record.targets is None else {field.name: getattr(record.targets, field.name) for field in dataclasses.fields(Targets)}),
    )


def row_id(source: str, document: str | None, text: str, repeat: int, pair: str | None = None) -> str:
    """Return the id of a row: 32 hexadecimal digits that depend on all arguments.

    `document` is None if the row is its own document, and `repeat` numbers equal rows from 0.
    """
    parts = [source, document, text, repeat, *([] if pair is None else [pair])]  # a row without a pair keeps the id that it always had
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def sha256_of(documents: Iterable[Document]) -> str:
    """Return the sha256 over id, document, label, text and all optional columns of a source's rows, which must be sorted by id."""
    digest = hashlib.sha256()
    for document in documents:
        # A source without optional columns keeps its hash.
        more: list[object] = [document.attributes] if document.attributes else []
        more += [{"queries": document.queries}] if document.queries else []
        targets = {name: value for name in _TARGET_FIELDS if (value := getattr(document, name)) is not None}
        more += [targets] if targets else []
        digest.update(json.dumps([document.id, document.document, document.label, document.text, *more]).encode() + b"\n")
    return digest.hexdigest()


def _text(row: Row, columns: str | int | JoinedColumns, place: str) -> str:
    rule = columns if isinstance(columns, JoinedColumns) else JoinedColumns(columns=[columns], separator="")
    return encodable(joined_text(row, rule.columns, rule.separator, place))


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
        prefix = BoundedExpression(rule.prefix or "", "columns.queries.prefix")
        texts = [line[prefix.end_of_start(line, place) :] for text in texts for line in text.splitlines()]
    return tuple(sorted({encodable(stripped) for text in texts if (stripped := text.strip())}))

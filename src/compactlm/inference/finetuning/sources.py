"""Read a user's file into cells and documents, by the columns that the options of finetune name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from compactlm.artifacts import Document
from compactlm.corpus.ingest.answers import AnswerNotFoundError
from compactlm.corpus.ingest.cells import cell_at
from compactlm.corpus.ingest.records import to_document, to_record
from compactlm.errors import CompactLMError
from compactlm.params import FileColumns, FilesSource, LabelColumns, Task
from compactlm.text.formats.tables import Row, stream_rows

ENDS = ".csv, .tsv, .jsonl, .parquet, .conll or, for SQuAD's format, .json (or these with .gz)"
EMPTY_IS_UNLABELLED = ("label", "score", "tags")  # an empty cell of the others means no labels, or no answer
_DELIMITER = re.compile(r"set delimiter: \S+ for the source, or ")
_OPTION = re.compile(r"columns\.([a-z_]+)")


def find_source(path: Path, columns: Mapping[str, Any]) -> FilesSource:
    """Return the settings to read a file. For CoNLL and SQuAD, columns that are not given are set.

    Raises:
        CompactLMError: the ending of the file's name is not a known format, or the columns do not fit together.
    """
    named = {name: value for name, value in columns.items() if value is not None}
    where: dict[str, Any] = {"kind": "files", "path": str(path)}
    try:
        own = FilesSource.model_validate({**where, "columns": {"text": "text"}})
        if own.format == "txt":
            raise CompactLMError(f"{path} has texts alone, but no labels; pass a file that ends in {ENDS}")
        if own.format in ("conll", "squad"):  # their readers name the columns
            positions = {name: int(value) if str(value).isdecimal() else value for name, value in named.items()}
            named = FilesSource.model_validate(where).columns.model_dump(exclude_unset=True) | positions
        return FilesSource.model_validate({**where, "columns": named})
    except pydantic.ValidationError as error:
        if any("format" in detail["loc"] for detail in error.errors()):
            raise CompactLMError(f"{path} has no known format; pass a file that ends in {ENDS}") from None
        problem = error.errors()[0]
        if problem["type"] == "missing":
            name = str(problem["loc"][-1])
            raise CompactLMError(f"the column of the {name} is not named; pass --{name}") from None
        raise CompactLMError(f"the columns cannot be used: {problem['msg'].removeprefix('Value error, ')}") from None


def read_cells(path: Path, source: FilesSource) -> Iterator[tuple[str, Row]]:
    """Yield the place and the cells of each row; raise CompactLMError if the file cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CompactLMError(f"{path} cannot be read ({error.strerror}); pass a readable file") from None
    rows = stream_rows(content, str(path), source.format, header=True, encoding="utf-8", remedy="convert the file")
    for place, row in rows:
        yield f"{path}, {place}", row


def check_target(found: Sequence[tuple[str, Row]], columns: FileColumns, target: str) -> None:
    """Raise CompactLMError if no row has the column of the target. A row without it is unlabelled."""
    rule = getattr(columns, target)
    if isinstance(rule, LabelColumns):  # these have no empty cells
        return
    column: str | int = rule if isinstance(rule, str | int) else rule.column
    missing: list[CompactLMError] = []
    for place, row in found:
        try:
            cell_at(row, column, place, target)
        except CompactLMError as error:
            missing.append(error)
        else:
            return
    if missing:
        raise missing[0]


def documents(found: Sequence[tuple[str, Row]], columns: FileColumns, task: Task) -> Iterator[tuple[str, Document | None]]:
    """Yield the place and the document of each row; None for a row whose answer does not occur in its passage."""
    unlabelled = any(getattr(columns, name) is not None for name in EMPTY_IS_UNLABELLED)
    rule = columns.model_copy(update={"unlabelled": unlabelled})
    if columns.answer is not None:
        rule = rule.model_copy(update={"answer": columns.answer.model_copy(update={"not_found": "skip"})})
    for place, row in found:
        try:
            yield place, to_document(to_record(row, place, rule, task), "rows", "own")
        except AnswerNotFoundError:
            yield place, None


def for_options(message: str) -> str:
    """Reword a message about params.yaml in terms of the options of finetune."""
    message = message.replace("columns.labels.separator", "--separator")
    message = _DELIMITER.sub("", message)
    message = message.replace("set format: jsonl for a file with an object a line", "name a file with an object a line .jsonl")
    return _OPTION.sub(lambda match: f"--{match[1].replace('_', '-')}", message)

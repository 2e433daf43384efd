"""Read the rows of a task of any kind from a user's file, and hold some of them out."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from compactlm.artifacts import Document
from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.duplicates.wholes import CONTRADICTING, target_of
from compactlm.corpus.ingest.cells import cell_at
from compactlm.errors import CompactLMError
from compactlm.inference.finetuning.labelled import FEWEST_ROWS, spelling_key, split
from compactlm.inference.finetuning.sources import check_target, documents, find_source, for_options, read_cells
from compactlm.params import FileColumns, LabelColumns, Task
from compactlm.tasks import kind_of
from compactlm.tasks.tags.schemes import entities, scheme
from compactlm.text.formats.tables import Row
from compactlm.text.labels import label_text, normal_label

# The kind of task by the column that has what the model learns.
KINDS = {"label": "classification", "labels": "multilabel", "score": "regression", "tags": "tagging", "answer": "span"}
FEWEST_OF_A_GROUP = 8  # rows that are alike are divided alike if there are so many of them
ANY = "any"  # the label of a task whose labels are not known yet


@dataclasses.dataclass(frozen=True)
class TaskRows:
    """The labelled rows of a task.

    `left_out` counts skipped rows: without text or target, repeats, contradictions, and answers that are not found.
    """

    task: Task
    rows: list[Document]
    left_out: int


def read_rows(path: Path, columns: Mapping[str, Any]) -> TaskRows:
    """Read the rows of a task from a file.

    Args:
        path: a file in csv, tsv, jsonl, Parquet, CoNLL or SQuAD's JSON; the ending of its name decides.
        columns: the columns by their meaning, as in `params.FileColumns`. CoNLL and SQuAD files need none. The column that is a key of
            KINDS decides the kind of task. Its labels are those in the file.

    Raises:
        CompactLMError: the file cannot be read, lacks a column, has a malformed cell, or has too little to learn from.
    """
    source = find_source(path, columns)
    target = _target(path, source.columns)
    try:
        found = list(read_cells(path, source))
        check_target(found, source.columns, target)
        task = _task(KINDS[target], source.columns, found, path)
        read = list(documents(found, source.columns, task))
    except CompactLMError as error:
        raise CompactLMError(for_options(str(error))) from None
    kind = kind_of(task)
    usable: list[tuple[Document, str]] = []
    for place, document in read:
        if document is None or document.task is None or not _has_texts(document, task):
            continue
        if problem := kind.invalid(document, task):
            raise CompactLMError(f"{place}: {problem}; correct the row")
        usable.append((document, kind.expected(document, task)))
    rows = _without_repeats(usable)
    _check(path, rows, task)
    return TaskRows(task, rows, len(read) - len(rows))


def _without_repeats(usable: Sequence[tuple[Document, str]]) -> list[Document]:
    """Return the rows without repeats. As in the pipeline, all rows of a text are left out if their targets contradict each other.

    Texts that differ only in case or white space count as the same text.
    """
    found: dict[tuple[str, str], dict[str, Document]] = {}
    for row, expected in usable:
        found.setdefault((spelling_key(row.text), spelling_key(row.pair or "")), {}).setdefault(expected, row)
    return [row for answers in found.values() if len(set(map(_target_of, answers.values()))) == 1 for row in answers.values()]


def _target_of(row: Document) -> str | None:
    return target_of({name: getattr(row, name) for name in ("label", *CONTRADICTING)})


def _target(path: Path, columns: FileColumns) -> str:
    named = [name for name in KINDS if getattr(columns, name) is not None]
    if len(named) != 1:
        options = ", ".join(f"--{name}" for name in KINDS)
        found = f"{' and '.join(f'--{name}' for name in named)} are" if named else "none is"
        raise CompactLMError(f"one column of {path} says what the model learns, but {found} named; pass one of {options}")
    return named[0]


def _task(kind: str, columns: FileColumns, found: Sequence[tuple[str, Row]], path: Path) -> Task:
    """Return the task of the rows, with the labels that occur in them."""
    if kind == "tagging":
        tags = {tag for _, one in documents(found, columns, _made(kind, [ANY])) if one is not None for tag in one.tags or ()}
        if scheme(tags):
            return _made(kind, sorted({entity.kind for tag in tags for entity in entities([tag])}))
        if len(tags) < 2:
            raise CompactLMError(f"{path} has {len(tags)} different tags; add rows with others")
        return _made(kind, sorted(tags), metric="token_accuracy")
    pair = columns.pair is not None
    names = {"classification": _labels, "multilabel": _several_labels}
    if kind not in names:
        return _made(kind, [], pair=pair and kind == "regression")
    labels = sorted({label for place, row in found for label in names[kind](row, columns, place)})
    fewest = 2 if kind == "classification" else 1
    if len(labels) < fewest:
        if kind == "multilabel":
            list(documents(found, columns, _made(kind, [ANY], pair=pair)))  # names a malformed cell, which has no labels
        raise CompactLMError(f"{path} has {len(labels)} labels; add rows of {'two or more labels' if fewest == 2 else 'a label'}")
    return _made(kind, labels, pair=pair)


def _made(kind: str, labels: list[str], **more: Any) -> Task:
    try:
        return Task.model_validate({"kind": kind, "sources": ["rows"], "labels": labels, **more})
    except pydantic.ValidationError as error:
        raise CompactLMError(f"the labels of the rows make no task: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _labels(row: Row, columns: FileColumns, place: str) -> list[str]:
    if columns.label is None:
        return []
    try:
        cell = cell_at(row, columns.label.column, place, "label")
    except CompactLMError:  # a row of JSON without the key is unlabelled
        return []
    return list(_named([cell], place, "label"))


def _several_labels(row: Row, columns: FileColumns, place: str) -> list[str]:
    rule = columns.labels
    if rule is None or isinstance(rule, LabelColumns):
        return sorted(rule.columns) if rule else []
    cell = cell_at(row, rule.column, place, "labels")
    if isinstance(cell, str):
        cell = cell.split(rule.separator) if rule.separator else []
    return list(_named(cell, place, "labels")) if isinstance(cell, Sequence) else []


def _named(cells: Iterable[object], place: str, role: str) -> Iterator[str]:
    for cell in cells:
        try:
            name = normal_label(label_text(cell))
        except ValueError as error:
            raise CompactLMError(f"{place}: the column of columns.{role} is wrong: {error}; correct the row") from None
        if name:
            yield name


def _has_texts(document: Document, task: Task) -> bool:
    return bool(document.text.strip()) and (not kind_of(task).reads_pairs(task) or bool((document.pair or "").strip()))


def _check(path: Path, rows: Sequence[Document], task: Task) -> None:
    if len(rows) < FEWEST_ROWS:
        raise CompactLMError(f"{path} has {len(rows)} rows to learn from; fine-tuning needs {FEWEST_ROWS} or more")
    if task.kind == "classification":
        counts = Counter(row.label for row in rows)
        name, fewest = min(counts.items(), key=lambda item: (item[1], str(item[0])))
        if fewest < FEWEST_ROWS:
            raise CompactLMError(f"{path} has {fewest} different rows of the label {name!r}; each label needs {FEWEST_ROWS} or more")
    expected = {kind_of(task).expected(row, task) for row in rows}
    if len(expected) == 1:
        raise CompactLMError(f"all rows of {path} have the same answer ({expected.pop()}); add rows with others")


def hold_out(found: TaskRows, seed: int) -> tuple[list[int], list[int], list[str]]:
    """Return training rows, held-out rows, and the group of each row. A group is the rows that share a text; it is never divided.

    For pairs, groups share the text that repeats more often. Both sides have the same shares of each stratum (Kind.strata) that has at
    least FEWEST_OF_A_GROUP rows.

    Raises:
        CompactLMError: there are too few distinct texts.
    """
    rows, kind = found.rows, kind_of(found.task)
    keys = [duplicate_key(row.text) for row in rows]
    if found.task.pair:
        keys = min(keys, [duplicate_key(row.pair or "") for row in rows], key=lambda one: len(set(one)))
    if len(set(keys)) < FEWEST_ROWS // 2:
        raise CompactLMError(f"the rows have {len(set(keys))} different texts; some are held out, so {FEWEST_ROWS // 2} or more are needed")
    strata = [kind.strata(row, found.task) for row in rows]
    counts = Counter(strata)
    train, held_out = split([one if counts[one] >= FEWEST_OF_A_GROUP else "" for one in strata], seed, keys)
    return train, held_out, keys

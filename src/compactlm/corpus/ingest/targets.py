"""Read the target of a row: a label, several labels, a score, tags of words, or an answer."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from compactlm.corpus.ingest.answers import read_answer
from compactlm.corpus.ingest.cells import cell_at, shown
from compactlm.corpus.ingest.words import WordCounts, read_tags
from compactlm.errors import CompactLMError
from compactlm.params import ColumnLabel, Columns, LabelColumns, LabelList, Task, ThresholdLabel
from compactlm.tasks import kind_of
from compactlm.tasks.base import Targets
from compactlm.text.formats.tables import Row
from compactlm.text.labels import find_label, is_missing, label_text


def read_targets(row: Row, text: str, word_counts: WordCounts, columns: Columns, place: str, task: Task) -> Targets | None:
    """Return the target of a row; None for an unlabelled row, if the columns allow such rows.

    Args:
        row: the cells.
        text: the text of the row, which contains the answer.
        word_counts: the number of words in each cell of the words column, as returned by `read_words`.
        columns: the columns of the source.
        place: the source, file and line, for messages.
        task: the task.

    Raises:
        CompactLMError: a cell is missing, empty or malformed, or names a label that the task does not have.
        AnswerNotFoundError: the answer does not stand in the text, and such rows are skipped.
    """
    fields = kind_of(task).fields
    if columns.unlabelled and _is_empty(row, columns, fields):
        return None
    label = _label(row, columns.label, place, task) if columns.label is not None and "label" in fields else None
    labels = _labels(row, columns.labels, place, task) if columns.labels is not None and "labels" in fields else None
    score = _score(row, columns.score, place) if columns.score is not None and "score" in fields else None
    tags = read_tags(row, columns.tags, word_counts, place) if columns.tags is not None and "tags" in fields else None
    answer, start = None, None
    if columns.answer is not None and "answer_start" in fields:
        answer, start = read_answer(row, columns.answer, columns.answer_start, text, place)
    return Targets(label=label, labels=labels, score=score, tags=tags, answer=answer, answer_start=start)


def _is_empty(row: Row, columns: Columns, fields: Collection[str]) -> bool:
    rules = {"label": columns.label, "labels": columns.labels, "tags": columns.tags, "answer_start": columns.answer}
    named = [columns.score] if "score" in fields and columns.score is not None else []
    for field in fields:
        rule = rules.get(field)
        if isinstance(rule, LabelColumns):
            named += rule.columns.values()
        elif rule is not None:
            named.append(rule.column)
    return all(_empty_cell(row, column) for column in named)


def _empty_cell(row: Row, column: str | int) -> bool:
    try:
        value = cell_at(row, column, "", "label")
    except CompactLMError:  # JSON often leaves out the key of an empty cell
        return True
    return is_missing(value) or value == ""


def _label(row: Row, rule: ThresholdLabel | ColumnLabel, place: str, task: Task) -> str:
    value = cell_at(row, rule.column, place, "label")
    if isinstance(rule, ThresholdLabel):
        return rule.above if _number(value, rule.column, place, "label", "number") > rule.threshold else rule.below
    try:
        given = label_text(value)
    except ValueError as error:
        raise CompactLMError(
            f"{place}: the label column {rule.column!r} is wrong: {error}; name a column with one label in each row"
        ) from None
    if not given:
        raise CompactLMError(f"{place}: the label column {rule.column!r} is empty; add a label or remove the row")
    return _declared(given, rule.names, task, place, "label")


def _declared(given: str, names: Mapping[str, str] | None, task: Task, place: str, role: str) -> str:
    allowed = task.labels if names is None else list(names)
    found = find_label(given, allowed)
    label = found if names is None or found is None else names[found]
    if label not in task.labels:
        raise CompactLMError(
            f"{place}: the label {given!r} is not declared ({', '.join(allowed)}); correct the row, or add the label to the labels of the "
            f"task and to columns.{role}.names"
        )
    return label


def _labels(row: Row, rule: LabelList | LabelColumns, place: str, task: Task) -> tuple[str, ...]:
    if isinstance(rule, LabelColumns):
        return tuple(label for label, column in sorted(rule.columns.items()) if _holds(row, column, rule.threshold, place))
    value = cell_at(row, rule.column, place, "labels")
    if isinstance(value, str):
        if rule.separator is None and value.strip():
            raise CompactLMError(
                f"{place}: the column {rule.column!r} of columns.labels holds {shown(value)}, which is not a list; set "
                "columns.labels.separator to what divides the labels, or write lists"
            )
        value = value.split(rule.separator) if rule.separator else []
    if not isinstance(value, Sequence):
        raise CompactLMError(
            f"{place}: the column {rule.column!r} of columns.labels holds {shown(value)}, which is not a list of labels; correct the row "
            "(an empty list means none of the labels)"
        )
    found = set()
    for cell in value:
        try:
            given = label_text(cell)
        except ValueError as error:
            raise CompactLMError(f"{place}: the column {rule.column!r} of columns.labels is wrong: {error}; correct the row") from None
        if given:
            found.add(_declared(given, rule.names, task, place, "labels"))
    return tuple(sorted(found))


def _holds(row: Row, column: str | int, threshold: float | None, place: str) -> bool:
    value = cell_at(row, column, place, "labels.columns")
    if threshold is not None:
        return _number(value, column, place, "labels.columns", "number") > threshold
    try:
        given = label_text(value).lower()
    except ValueError:
        given = ""
    if given not in ("true", "false", "1", "0"):
        raise CompactLMError(
            f"{place}: the column {column!r} of columns.labels.columns holds {shown(value)}, which is not true or false; correct the row, "
            "or set columns.labels.threshold for numbers"
        )
    return given in ("true", "1")


def _score(row: Row, column: str | int, place: str) -> float:
    number = _number(cell_at(row, column, place, "score"), column, place, "score", "finite number")
    if math.isinf(number):
        raise CompactLMError(f"{place}: the score column {column!r} holds {number}, which is not a finite number; correct the row")
    return number


def _number(value: object, column: str | int, place: str, role: str, wanted: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isnan(number):
        raise CompactLMError(
            f"{place}: the {role} column {column!r} holds {shown(value)}, which is not a {wanted}; correct the row or the column"
        )
    return number


def check_label_names(name: str, columns: Columns, task: Task) -> None:
    """Raise CompactLMError if a source can produce a label that its task does not have."""
    named: dict[str, list[str]] = {}
    if isinstance(columns.label, ThresholdLabel):
        named["label"] = [columns.label.below, columns.label.above]
    elif columns.label is not None:
        named["label"] = list((columns.label.names or {}).values())
    if isinstance(columns.labels, LabelColumns):
        named["labels"] = list(columns.labels.columns)
    elif columns.labels is not None:
        named["labels"] = list((columns.labels.names or {}).values())
    for role, names in named.items():
        for label in names if role in kind_of(task).fields else ():
            if label not in task.labels:
                raise CompactLMError(
                    f"ingest.sources.{name}.columns.{role} names {label!r}, but its task has the labels {', '.join(task.labels)}; "
                    "use one of these or add the label to the task"
                )

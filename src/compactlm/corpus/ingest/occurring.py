"""Check that the rows of a task have different labels, scores, tags or answers to learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from compactlm.artifacts import NO_ANSWER
from compactlm.errors import CompactLMError
from compactlm.params import Task
from compactlm.tasks import kind_of

_Problem = str | None


def check_occurring(name: str, task: Task, shards: Sequence[Path]) -> None:
    """Raise CompactLMError if all rows of the task have the same target, or if one of its labels does not occur."""
    for field in kind_of(task).fields:
        if field in _CHECKS:
            values = pa.concat_tables(pq.read_table(shard, columns=["task", field]) for shard in shards)
            problem = _CHECKS[field](values.filter(pc.is_valid(values["task"]))[field], task)
            if problem:
                raise CompactLMError(f"tasks.{name}: {problem}")


def _labels(values: pa.ChunkedArray, task: Task) -> _Problem:
    counts = Counter(values.to_pylist())
    if len(counts) < 2:
        label = next(iter(counts), None)
        return (
            f"all {counts.total():,} rows of {', '.join(task.sources)} have the label {label!r}; a task needs rows of at least two labels, "
            "so add rows or correct columns.label"
        )
    return _lacking(task.labels, counts.keys(), task, "label")


def _label_sets(values: pa.ChunkedArray, task: Task) -> _Problem:
    return _lacking(task.labels, set(pc.list_flatten(values).to_pylist()), task, "label")


def _lacking(labels: Sequence[str], found: Collection[Any], task: Task, what: str) -> _Problem:
    for label in labels:
        if label not in found:
            return f"no row of {', '.join(task.sources)} has the {what} {label!r}; add rows or remove it from the labels"
    return None


def _scores(values: pa.ChunkedArray, task: Task) -> _Problem:
    if len(values.unique()) > 1:
        return None
    score = values[0].as_py() if len(values) else None
    return f"all {len(values):,} rows of {', '.join(task.sources)} have the score {score}; add rows or correct columns.score"


def _tags(values: pa.ChunkedArray, task: Task) -> _Problem:
    found = set(pc.list_flatten(values).to_pylist())
    types = {tag.partition("-")[2] for tag in found}
    return _lacking([label for label in task.labels if label.partition("-")[2] not in types], found | types, task, "tag")


def _answers(values: pa.ChunkedArray, task: Task) -> _Problem:
    if pc.any(pc.not_equal(values, NO_ANSWER)).as_py():
        return None
    return f"none of the {len(values):,} rows of {', '.join(task.sources)} has an answer; correct columns.answer or columns.answer.none"


_CHECKS: dict[str, Callable[[pa.ChunkedArray, Task], _Problem]] = {
    "label": _labels,
    "labels": _label_sets,
    "score": _scores,
    "tags": _tags,
    "answer_start": _answers,
}

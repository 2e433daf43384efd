"""New rows for a comparison, from a file of texts or from the requests that the server captured."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compactlm.errors import CompactLMError
from compactlm.improvement.describing import Described
from compactlm.improvement.rows import Row, read_fields, read_rows

HASH = "text_hash"  # in place of the text, in a log with hashed texts
TASK, COUNTS, PROBABILITIES, ANSWER = "task", "counts", "probabilities", "label"


@dataclasses.dataclass(frozen=True)
class NewRows:
    """New rows with their texts, or with the server's description of them.

    Attributes:
        rows: the rows with texts; empty for a log with hashed texts.
        described: the rows of a log with hashed texts; None if there are texts.
        skipped: lines without a text.
        repeated: rows with the text of an earlier row.
        left: rows that are not compared, because there are more than requested.
    """

    rows: list[Row]
    described: Described | None
    skipped: int
    repeated: int
    left: int


def read_new_rows(path: Path, field: str, task: str, labels: tuple[str, ...], most: int, seed: int) -> NewRows:
    """Read up to `most` new rows, drawn by the seed, in the order of the file.

    Args:
        path: a file of rows (see rows.read_rows), or the log of `compactlm serve --capture`.
        field: the field of the text.
        task: only rows of this task are taken from a log.
        labels: the labels of the task.
        most: the maximum number of rows.
        seed: the seed of the draw.

    Raises:
        CompactLMError: the file cannot be read, or has no rows of the task.
    """
    if path.suffix == ".jsonl" and any(HASH in fields for fields in read_fields(path)):
        return _hashed(path, task, labels, most, seed)
    found = read_rows(path, field)
    own = [row for row in found.rows if row.fields.get(TASK) in (None, task) or PROBABILITIES not in row.fields]
    if not own:
        raise CompactLMError(f"{path} has no requests for the task {task!r}; name another with --task")
    kept = _drawn(own, most, seed)
    return NewRows(kept, None, found.skipped, found.repeated, len(own) - len(kept))


def _hashed(path: Path, task: str, labels: tuple[str, ...], most: int, seed: int) -> NewRows:
    lines = list(read_fields(path))
    own: dict[str, dict[str, Any]] = {}
    for fields in lines:
        if fields.get(TASK) == task and _is_whole(fields, labels):
            own.setdefault(str(fields[HASH]), fields)
    if not own:
        raise CompactLMError(f"{path} has no requests for the task {task!r} with the labels of this model; name another with --task")
    skipped = sum(HASH not in fields for fields in lines)
    repeated = sum(fields.get(TASK) == task for fields in lines) - len(own)
    kept = _drawn(list(own.values()), most, seed)
    described = Described(
        None,
        np.array([fields[COUNTS] for fields in kept], dtype=np.int64),
        np.array([fields[PROBABILITIES] for fields in kept], dtype=np.float32),
        np.array([labels.index(fields[ANSWER]) for fields in kept], dtype=np.int64),
    )
    return NewRows([], described, skipped, repeated, len(own) - len(kept))


def _is_whole(fields: Mapping[str, Any], labels: tuple[str, ...]) -> bool:
    counts, probabilities = fields.get(COUNTS), fields.get(PROBABILITIES)
    return (
        HASH in fields
        and fields.get(ANSWER) in labels
        and isinstance(counts, list)
        and len(counts) == 3
        and isinstance(probabilities, list)
        and len(probabilities) == len(labels)
    )


def _drawn(rows: list[Any], most: int, seed: int) -> list[Any]:
    if len(rows) <= most:
        return rows
    return [rows[at] for at in sorted(random.Random(seed).sample(range(len(rows)), most))]

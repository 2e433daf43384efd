"""The answers of both models to the test rows, as data/predictions stores them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from compactlm.artifacts import PREDICTION_SCHEMA, Document
from compactlm.evaluation.paired import ROLES, Answers
from compactlm.params import Params
from compactlm.tasks import kind_of

# Answers of kinds with an answer_type, as JSON. The columns are written only if a task has such answers.
OBJECTS = {role: f"{role}_answer" for role in ROLES}


def predictions(answers: Mapping[str, Answers]) -> Iterator[dict[str, Any]]:
    """Yield a row of `prediction_schema` for each test row of each task."""
    for name, one in answers.items():
        for at, row in enumerate(one.rows):
            cells: dict[str, Any] = {"id": row.id, "task": name, "label": one.kind.expected(row, one.task)}
            for role in ROLES:
                found = one.said[role][at]
                if one.kind.answer_type is None:
                    cells[role] = np.atleast_1d(found).tolist()
                else:
                    cells |= {role: [], OBJECTS[role]: json.dumps(dataclasses.asdict(found), ensure_ascii=False)}
            yield cells


def prediction_schema(answers: Mapping[str, Answers]) -> pa.Schema:
    """Return the schema of `predictions`."""
    if all(one.kind.answer_type is None for one in answers.values()):
        return PREDICTION_SCHEMA
    return pa.schema([*PREDICTION_SCHEMA, *(pa.field(name, pa.string()) for name in OBJECTS.values())])


def read_answers(rows: Iterable[Mapping[str, Any]], test: Sequence[Document], params: Params) -> dict[str, Answers]:
    """Return both models' answers to the test rows of each task, from the rows of data/predictions."""
    listed, documents = list(rows), {row.id: row for row in test}
    found = {}
    for name, task in params.tasks.items():
        own = [row for row in listed if row["task"] == name]
        said = {role: _read(own, role, kind_of(task).answer_type, kind_of(task).outputs(task)) for role in ROLES}
        found[name] = Answers(task, tuple(documents[row["id"]] for row in own), said)
    return found


def _read(rows: Sequence[Mapping[str, Any]], role: str, answer_type: Any, outputs: int) -> Any:
    if answer_type is not None:
        contents = [json.loads(row[OBJECTS[role]]) for row in rows]
        return [answer_type(**{key: tuple(part) if isinstance(part, list) else part for key, part in one.items()}) for one in contents]
    values = np.array([row[role] for row in rows], dtype=np.float64).reshape(len(rows), -1)
    return values[:, 0] if outputs == 1 else values

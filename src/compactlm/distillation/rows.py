"""Which rows a phase trains on, drawn from the tokenized splits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from compactlm.draws import draw_items
from compactlm.errors import CompactLMError


@dataclasses.dataclass(frozen=True)
class TaskRows:
    """Rows of one task, in one order.

    Attributes:
        ids: of the sequences.
        sequences: token ids of the student.
        labels: label ids, -100 for none.
        weights: example weights, 1 for rows without a label.
    """

    ids: list[str]
    sequences: list[list[int]]
    labels: list[int]
    weights: list[float]


def draw(rows: Sequence[dict[str, Any]], count: int, seed: int) -> list[dict[str, Any]]:
    """Return `count` rows (or all, where there are fewer) drawn by (seed, id), in the order of the draw."""
    return draw_items(rows, count, "general", seed, key=lambda row: row["id"])


def task_rows(
    name: str,
    labels: Sequence[str],
    labelled: Sequence[dict[str, Any]],
    unlabelled: Sequence[dict[str, Any]],
    weights: Mapping[str, float] | None,
) -> TaskRows:
    """Join a task's labelled rows, originals and copies, with unlabelled ones.

    Args:
        name: of the task.
        labels: the task's label names, in the order of their ids.
        labelled: rows of artifacts.SEQUENCE_SCHEMA; those of other tasks are left out.
        unlabelled: rows of the same schema.
        weights: example weights by document id; None weighs all rows alike.

    Raises:
        CompactLMError: a labelled row has no weight, so that weights and sequences are not of one run.
    """
    own = [row for row in labelled if row["task"] == name]
    documents = [row["id"].rpartition(".")[0] for row in own]
    weights = weights if weights is not None else dict.fromkeys(documents, 1.0)
    strangers = [document for document in documents if document not in weights]
    if strangers:
        raise CompactLMError(
            f"{len(strangers)} rows of task {name} have no example weight in data/weighted (first: {strangers[0]}); "
            "run `dvc repro`, so that bias-audit and tokenize see the same rows"
        )
    return TaskRows(
        ids=[row["id"] for row in [*own, *unlabelled]],
        sequences=[row["input_ids"] for row in [*own, *unlabelled]],
        labels=[labels.index(row["label"]) for row in own] + [-100] * len(unlabelled),
        weights=[weights[document] for document in documents] + [1.0] * len(unlabelled),
    )

"""The training rows of both phases, with the teacher's signals."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from compactlm.bert.models import pad_examples
from compactlm.distillation.signals.online import Batch, SignalSource
from compactlm.errors import CompactLMError
from compactlm.tasks import kind_of
from compactlm.tasks.base import Target, Task
from compactlm.training.random_masking import MaskedExamples, MaskedSequences
from compactlm.training.task_losses import TaskLosses


class GeneralExamples(MaskedExamples):
    """Masked text with the teacher's signals."""

    def __init__(self, tokenized: MaskedSequences, source: SignalSource | None, maskings: int) -> None:
        """Take the masked sequences, the source of the signals (None for no signals), and the number of maskings."""
        super().__init__(tokenized, maskings)
        self.source = source

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:
        """Return the tensors of GeneralObjective: input_ids, attention_mask, labels and the signals."""
        rows = self.rows(positions, epoch)
        batch = self.tokenized.model_inputs(rows)
        return {**batch, **self.source.signals(batch, rows)} if self.source else batch


@dataclasses.dataclass(frozen=True)
class TaskRows:
    """Rows of one task.

    Attributes:
        ids: the ids of the sequences.
        sequences: token ids of the student.
        targets: the target of each row (tasks.base.Example.target), None for rows without a label.
        weights: example weights, 1 for rows without a label.
        seconds: the position of the second text of each pair; None if no row is a pair.
        losses: the losses of the task; None for rows that only the teacher reads.
    """

    ids: list[str]
    sequences: list[list[int]]
    targets: list[Target | None]
    weights: list[float]
    seconds: list[int | None] | None = None
    losses: TaskLosses | None = dataclasses.field(default=None, compare=False)

    @functools.cached_property
    def lengths(self) -> list[int]:
        """The number of tokens of each row."""
        return [len(sequence) for sequence in self.sequences]

    def model_inputs(self, rows: Sequence[int]) -> Batch:
        """Return input_ids and attention_mask of some rows, and token_type_ids if there are pairs, each int64 [rows, tokens]."""
        return pad_examples([self.sequences[row] for row in rows], None if self.seconds is None else [self.seconds[row] for row in rows])


class TaskExamples:
    """A task's rows with the teacher's signals."""

    def __init__(self, rows: TaskRows, source: SignalSource | None) -> None:
        """Take the rows and the source of the signals (None for no signals)."""
        self.tokenized, self.source = rows, source
        self.weights = torch.tensor(rows.weights, dtype=torch.float32)
        self.ids, self.lengths = rows.ids, rows.lengths

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return the tensors of TaskObjective: input_ids, attention_mask, labels, weights, the signals, and token_type_ids for pairs."""
        rows, losses = list(positions), self.tokenized.losses
        batch = self.tokenized.model_inputs(rows)
        signals = self.source.signals(batch, rows) if self.source else {}
        if losses:
            batch["labels"] = losses.labels([self.tokenized.targets[row] for row in rows], batch["input_ids"].shape[1])
        return {**batch, **signals, "weights": self.weights[rows]}


def task_rows(
    name: str,
    task: Task,
    labelled: Sequence[dict[str, Any]],
    unlabelled: Sequence[dict[str, Any]],
    weights: Mapping[str, float] | None,
) -> TaskRows:
    """Join a task's labelled rows (originals and copies) with unlabelled rows, both in artifacts.SEQUENCE_SCHEMA.

    Labelled rows of other tasks are left out. `weights` maps document ids to weights; None gives every row the weight 1.

    Raises:
        CompactLMError: a labelled row has no weight; then weights and sequences come from different runs.
    """
    own = [row for row in labelled if row["task"] == name]
    documents = [row["id"].rpartition(".")[0] for row in own]
    weights = weights if weights is not None else dict.fromkeys(documents, 1.0)
    missing = [document for document in documents if document not in weights]
    if missing:
        raise CompactLMError(
            f"{len(missing)} rows of task {name} have no example weight in data/weighted (first: {missing[0]}); "
            "run `dvc repro`, so that bias-audit and tokenize read the same rows"
        )
    rows, kind = [*own, *unlabelled], kind_of(task)
    targets = [kind.stored_target(row, task) for row in rows]
    seconds = [row.get("second") for row in rows]
    return TaskRows(
        ids=[row["id"] for row in rows],
        sequences=[row["input_ids"] for row in rows],
        targets=targets,
        weights=[weights[document] for document in documents] + [1.0] * len(unlabelled),
        seconds=None if all(start is None for start in seconds) else seconds,
        losses=TaskLosses(kind, task, targets),
    )

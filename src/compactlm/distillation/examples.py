"""What the phases train on: the rows of a batch, and what the teacher says of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from compactlm.bert.models import pad_tensors
from compactlm.distillation.rows import TaskRows
from compactlm.distillation.signals.sources import Batch, SignalSource
from compactlm.training.random_masking import MaskedExamples, MaskedSequences


class GeneralExamples(MaskedExamples):
    """Masked text with a teacher's signals."""

    def __init__(self, questions: MaskedSequences, source: SignalSource | None, maskings: int) -> None:
        """Take the masked sequences, the source of the signals (None for none), and in how many ways each sequence is masked."""
        super().__init__(questions, maskings)
        self.source = source

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:
        """Return the tensors that GeneralObjective takes."""
        rows = self.rows(positions, epoch)
        batch = self.questions.question(rows)
        return {**batch, **self.source.answer(batch, rows)} if self.source else batch


class TaskQuestions:
    """A task's rows, as a teacher reads them."""

    def __init__(self, rows: TaskRows) -> None:
        """Take the rows."""
        self.sequences, self.ids = rows.sequences, rows.ids
        self.lengths = [len(sequence) for sequence in rows.sequences]

    def question(self, rows: Sequence[int]) -> Batch:
        """Return input_ids and attention_mask, each int64 [rows, tokens]."""
        input_ids, attention_mask = pad_tensors([self.sequences[row] for row in rows])
        return {"input_ids": input_ids, "attention_mask": attention_mask}


class TaskExamples:
    """A task's rows with a teacher's answers, and a label and a weight where they have one."""

    def __init__(self, rows: TaskRows, source: SignalSource | None) -> None:
        """Take the rows and where the answers come from (None for none)."""
        self.questions, self.source = TaskQuestions(rows), source
        self.labels, self.weights = torch.tensor(rows.labels), torch.tensor(rows.weights, dtype=torch.float32)
        self.ids, self.lengths = self.questions.ids, self.questions.lengths

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return the tensors that TaskObjective takes."""
        rows = list(positions)
        batch = self.questions.question(rows)
        answers = self.source.answer(batch, rows) if self.source else {}
        return {**batch, **answers, "labels": self.labels[rows], "weights": self.weights[rows]}

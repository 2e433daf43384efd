"""Kinds of task whose models read one sequence and give one vector of numbers for it."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from compactlm.tasks.base.examples import Array, Example, Segmenter, Settings, Target
from compactlm.tasks.base.kind import Kind
from compactlm.tasks.base.rows import Row, Task
from compactlm.tasks.pairs import pair_ids, single_ids

if TYPE_CHECKING:
    from torch import Tensor


class RowKind(Kind):
    """A kind whose model reads a text or a pair of texts as one sequence and gives one vector of numbers for it."""

    architecture = "BertForSequenceClassification"
    pipeline_tag = "text-classification"

    @abc.abstractmethod
    def target(self, row: Row, task: Task) -> Target | None:
        """Return the target of a row; None for an unlabelled one."""

    @abc.abstractmethod
    def activate(self, logits: Array) -> Array:
        """Turn logits, [rows, outputs], into the answers, float64."""

    def activate_tensor(self, logits: Tensor) -> Array:
        """Turn logits, [rows, outputs], into the answers, float64."""
        return self.activate(logits.double().numpy())

    def encode(
        self,
        segmenter: Segmenter,
        rows: Sequence[Row],
        task: Task,
        maximum_length: int,
        *,
        places: bool = False,
    ) -> list[list[Example]]:
        """Return one sequence a row; a longer text is cut at its end, and of a pair the longer text (see Kind.encode)."""
        first = segmenter.pieces([row.text for row in rows])
        if not task.pair:
            sequences: list[tuple[list[int], int | None]] = [single_ids(segmenter, ids, maximum_length) for ids in first]
        else:
            second = segmenter.pieces([row.pair or "" for row in rows])
            sequences = [pair_ids(segmenter, *both, maximum_length) for both in zip(first, second, strict=True)]
        return [[Example(ids, start, self.target(row, task))] for (ids, start), row in zip(sequences, rows, strict=True)]

    def answers(
        self,
        logits: Sequence[Sequence[Array]],
        examples: Sequence[Sequence[Example]],
        rows: Sequence[Row],
        task: Task,
        settings: Settings,
    ) -> Any:
        """See Kind.answers."""
        found = [one[0] for one in logits]
        return self.activate(np.stack(found) if found else np.zeros((0, self.outputs(task)), np.float32))

"""How a kind of task trains a model."""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compactlm.tasks.base.examples import Array, Example, Finished, Segmenter, Target
from compactlm.tasks.base.rows import Row, Task

if TYPE_CHECKING:
    from torch import Tensor


class Training(abc.ABC):
    """The part of a kind that turns rows into sequences and targets, and that has the losses.

    Attributes:
        finishes_teacher: whether `finish` also runs for the teacher.
        stores_target: whether artifacts.SEQUENCE_SCHEMA keeps the target of a row; else `stored_target` has it from the label.
    """

    finishes_teacher: bool = True
    stores_target: bool = True

    @abc.abstractmethod
    def encode(
        self, segmenter: Segmenter, rows: Sequence[Row], task: Task, maximum_length: int, *, places: bool = False
    ) -> list[list[Example]]:
        """Return the sequences of each row, each of at most `maximum_length` tokens. `places` asks for Example.places."""

    def trained(self, examples: Sequence[Example], row: Row) -> list[Example]:
        """Return the sequences of a row that training reads, of those of `encode`."""
        return list(examples)

    def stored_target(self, cells: Mapping[str, Any], task: Task) -> Target | None:
        """Return the target of a row of artifacts.SEQUENCE_SCHEMA."""
        return cells.get("target")

    def scale(self, targets: Sequence[Target | None]) -> tuple[float, float] | None:
        """Return the mean and the standard deviation by which training standardises targets; None for targets that are no numbers."""
        return None

    @abc.abstractmethod
    def collate(self, targets: Sequence[Target | None], tokens: int) -> Array:
        """Return the targets of a batch whose longest sequence has so many tokens.

        Returns:
            int64 [rows], float32 [rows, outputs] or, for outputs of each token, int64 [rows, tokens] or [rows, 2]. Numbers of unlabelled
            rows are nan, label ids IGNORED or UNLABELLED.
        """

    @abc.abstractmethod
    def hard_loss(
        self, logits: Tensor, batch: Mapping[str, Tensor], focal_gamma: float = 0.0, class_weights: Tensor | None = None
    ) -> Tensor:
        """Return the mean loss against the labels, a scalar; 0 if no row is labelled.

        Args:
            logits: the student's outputs.
            batch: attention_mask, `labels` from `collate`, and optionally token_type_ids and the rows' weights, float [rows].
            focal_gamma: the exponent of the focal loss; 0 is none.
            class_weights: a factor for each class, float [classes], or None for 1.
        """

    @abc.abstractmethod
    def soft_loss(self, logits: Tensor, batch: Mapping[str, Tensor], temperature: float) -> Tensor:
        """Return the mean loss against the teacher's outputs, `teacher_logits` in the batch, a scalar; see `hard_loss`."""

    def class_weights(self, targets: Sequence[Target | None], task: Task) -> list[float] | None:
        """Return a factor for each class, as task.class_weights says; None for 1."""
        return None if task.class_weights == "none" else self.balanced(targets, task)

    def balanced(self, targets: Sequence[Target | None], task: Task) -> list[float] | None:
        """Return the factor for each class with which rare classes weigh as much as frequent ones; None for kinds without classes."""
        return None

    def finish(
        self,
        logits: Sequence[Sequence[Array]],
        examples: Sequence[Sequence[Example]],
        rows: Sequence[Row],
        task: Task,
    ) -> Finished:
        """Return what is chosen by the outputs on validation rows once a model is trained; see `answers` for the arguments."""
        return Finished()


def inverse_frequencies(ids: Iterable[float], classes: int) -> list[float]:
    """Return the inverse frequency of each class, 1 in the mean over `ids`; 1 for a class without any."""
    counts = Counter(map(int, ids))
    total, present = sum(counts.values()), len(counts)
    return [total / (present * counts[one]) if counts[one] else 1.0 for one in range(classes)]

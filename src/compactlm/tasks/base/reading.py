"""What a kind of task knows of tasks, models and rows, before anything is trained."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from compactlm.tasks.base.rows import AnyRow, Row, Task

SINGLE_LABEL = "single_label_classification"
SEPARATOR = "\x1f"  # between the labels of a group of rows


class Reading(abc.ABC):
    """The part of a kind that reads parameters and rows.

    Attributes:
        name: its name in params.yaml.
        architecture: the class of transformers that it trains.
        per_token: whether the model gives outputs for each token, [rows, tokens, outputs], or for each sequence, [rows, outputs].
        problem_type: config.problem_type of transformers; None where the architecture has none.
        pipeline_tag: the task in a model card.
        main_metrics: the metrics that a task can name as its own, the default first.
        further_metrics: the other metrics of its answers.
        fields: the fields of a row without which it is unlabelled.
        has_labels: whether its tasks list labels.
    """

    name: str
    architecture: str
    per_token: bool = False
    problem_type: str | None = None
    pipeline_tag: str
    main_metrics: tuple[str, ...]
    further_metrics: tuple[str, ...] = ()
    fields: tuple[str, ...]
    has_labels: bool = True

    def problems(self, task: Task) -> Iterator[str]:
        """Yield a sentence for each contradiction in a task's section of params.yaml."""
        if task.metric not in self.main_metrics:
            yield f"metric {task.metric} is not one of {', '.join(self.main_metrics)} (kind {self.name}); use one of these"
        if len(set(task.labels)) != len(task.labels):
            yield "two labels have the same name; rename one"
        if self.has_labels and not task.labels:
            yield "labels is empty; list all labels of the task"
        if not self.has_labels and task.labels:
            yield f"labels are listed, but the kind {self.name} has none; remove them, or set another kind"
        if not self.has_labels and task.class_weights != "none":
            yield f"class_weights is set, but the kind {self.name} has no classes; set it to none"

    def outputs(self, task: Task) -> int:
        """Return how many numbers the head gives a sequence or a token."""
        return len(self.names(task))

    def names(self, task: Task) -> list[str]:
        """Return the names of the head's outputs (id2label)."""
        return list(task.labels)

    def settings(self, task: Task) -> dict[str, Any]:
        """Return the keys of config.json from which a finished model knows its task again."""
        # Models of one label of several have no problem_type, as transformers saves them.
        found: dict[str, Any] = {} if self.problem_type in (None, SINGLE_LABEL) else {"problem_type": self.problem_type}
        found |= {"reads_pairs": True} if self.reads_pairs(task) else {}
        return found | {name: getattr(task, name) for name in ("maximum_length", "stride") if getattr(task, name) is not None}

    def reads_pairs(self, task: Task) -> bool:
        """Return whether a sequence has two texts."""
        return task.pair

    def metric_of_model(self, labels: Sequence[str]) -> str:
        """Return the main metric of a finished model, given the names of its outputs."""
        return self.main_metrics[0]

    def is_labelled(self, row: Row) -> bool:
        """Return whether a row has what the hard loss and the metrics need."""
        return all(getattr(row, name) is not None for name in self.fields)

    def accepts(self, row: Row, task: Task) -> bool:
        """Return whether an unlabelled row has the form of the task's rows."""
        return (row.pair is not None) == self.reads_pairs(task)

    @abc.abstractmethod
    def invalid(self, row: Row, task: Task) -> str | None:
        """Return what is wrong with the labels of a labelled row, or None."""

    @abc.abstractmethod
    def strata(self, row: Row, task: Task) -> str:
        """Return the group of a labelled row whose share is the same in each split."""

    def editable(self, row: Row) -> str:
        """Return the text of a row that may be changed while its labels stay."""
        return row.text

    def edited(self, row: AnyRow, text: str) -> AnyRow | None:
        """Return the row with another text in place of `editable`; None where its labels would not fit."""
        return dataclasses.replace(row, text=text)  # type: ignore[type-var]

    @abc.abstractmethod
    def expected(self, row: Row, task: Task) -> str:
        """Return the label of a labelled row in one line for people."""


def joined(labels: Iterable[str]) -> str:
    """Return the group of rows that have the same labels, for Kind.strata."""
    return SEPARATOR.join(sorted(set(labels)))

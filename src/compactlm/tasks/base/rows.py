"""Rows and tasks, as kinds of task see them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol, TypeVar


class Row(Protocol):
    """A row of a task, such as artifacts.Document. Which fields are set depends on the kind.

    `answer_start` is the position of the first character of `answer` in `text`, -1 for a question without an answer in `text`, and None for
    an unlabelled row.
    """

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def pair(self) -> str | None: ...  # noqa: D102
    @property
    def label(self) -> str | None: ...  # noqa: D102
    @property
    def labels(self) -> tuple[str, ...] | None: ...  # noqa: D102
    @property
    def score(self) -> float | None: ...  # noqa: D102
    @property
    def words(self) -> tuple[str, ...] | None: ...  # noqa: D102
    @property
    def tags(self) -> tuple[str, ...] | None: ...  # noqa: D102
    @property
    def answer(self) -> str | None: ...  # noqa: D102
    @property
    def answer_start(self) -> int | None: ...  # noqa: D102


AnyRow = TypeVar("AnyRow", bound=Row)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What a task teaches about a row; all fields are None where it is unlabelled.

    Attributes:
        label: the label of a row that has one of several.
        labels: the labels of a row that may have several; empty if it has none of them.
        score: a finite number to predict.
        tags: the tag of each word.
        answer: the answer, which stands in the text at `answer_start`; None without an answer.
        answer_start: the offset of the answer in characters; -1 if the text does not answer the question.
    """

    label: str | None = None
    labels: tuple[str, ...] | None = None
    score: float | None = None
    tags: tuple[str, ...] | None = None
    answer: str | None = None
    answer_start: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Input(Targets):
    """A row that is no artifact, such as a text that a user types. See Row."""

    text: str
    pair: str | None = None
    words: tuple[str, ...] | None = None
    id: str = ""
    source: str = ""


class Task(Protocol):
    """What a kind needs to know of a task: params.Task, or the TaskOfModel of a finished model."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def labels(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def metric(self) -> str: ...  # noqa: D102
    @property
    def pair(self) -> bool: ...  # noqa: D102
    @property
    def class_weights(self) -> str: ...  # noqa: D102
    @property
    def maximum_length(self) -> int | None: ...  # noqa: D102
    @property
    def stride(self) -> int | None: ...  # noqa: D102


@dataclasses.dataclass(frozen=True, slots=True)
class TaskOfModel:
    """The task of a finished model, read from its config.json. See Task."""

    kind: str
    labels: tuple[str, ...]
    metric: str
    pair: bool = False
    class_weights: str = "none"
    maximum_length: int | None = None
    stride: int | None = None

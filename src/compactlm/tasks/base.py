"""The contract of a kind of task: what it reads, how a row becomes token ids and targets, its losses, answers and metrics.

A new kind is a subclass of Kind in a module of its own and a line in compactlm.tasks.KINDS. Nothing here imports torch, scipy or
scikit-learn at the top of a module, because the finished model uses the same code.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from compactlm.tasks.pairs import pair_ids, single_ids

if TYPE_CHECKING:
    from torch import Tensor

IGNORED = -100  # a target that no loss reads
UNLABELLED = -1  # a token that the soft loss reads, but that has no label for the hard loss
SINGLE_LABEL = "single_label_classification"
NOWHERE = (-1, -1)  # the place of a token that answers nothing

Array = npt.NDArray[Any]
Settings = Mapping[str, Any]
Target = list[float]


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
class Input:
    """A row that is no artifact, such as a text that a user types. See Row."""

    text: str
    pair: str | None = None
    label: str | None = None
    labels: tuple[str, ...] | None = None
    score: float | None = None
    words: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    answer: str | None = None
    answer_start: int | None = None
    id: str = ""
    source: str = ""


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


class Segmenter(Protocol):
    """A tokenizer. Texts are never truncated, and get no special tokens."""

    @property
    def cls(self) -> int: ...  # noqa: D102
    @property
    def sep(self) -> int: ...  # noqa: D102
    @property
    def unknown(self) -> int: ...  # noqa: D102

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        ...

    def offsets(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Return the first character of each token of each text, and the first character after it."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A sequence of a row. A row has one, or several if it is longer than the model reads.

    Attributes:
        input_ids: token ids, special tokens included.
        second: the position of the first token of the second text; None without one. Token types are 1 from there on.
        target: numbers in the form of the kind; None for an unlabelled row.
        places: what each token answers for, a pair of positions in the row (words or characters); NOWHERE for other tokens. None if they
            were not asked for, or if the model gives one output a sequence.
    """

    input_ids: list[int]
    second: int | None = None
    target: Target | None = None
    places: list[tuple[int, int]] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """What is chosen on validation rows once a model is trained.

    Attributes:
        thresholds: the probability of each output from which it counts, to be folded into the head's bias
            (compactlm.bert.folding.fold_thresholds); None changes nothing.
        config: keys for config.json.
        metrics: numbers for the metrics of the stage.
    """

    thresholds: Sequence[float] | None = None
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)


class Kind(abc.ABC):
    """A kind of task. It has no state; what differs between two tasks of a kind is in their Task.

    Attributes:
        name: its name in params.yaml.
        architecture: the class of transformers that it trains.
        per_token: whether the model gives outputs for each token, [rows, tokens, outputs], or for each sequence, [rows, outputs].
        problem_type: config.problem_type of transformers; None where the architecture has none.
        pipeline_tag: the task in a model card.
        main_metrics: the metrics that a task can name as its own, the default first.
        metrics: the metrics that `measure` returns, `main_metrics` included.
        lower_is_better: those of `metrics` where lower is better.
        fields: the fields of a row without which it is unlabelled.
        finishes_teacher: whether `finish` also runs for the teacher.
        answer_type: the class of an answer whose fields are JSON values, or None where answers are rows of an array.
        stores_target: whether artifacts.SEQUENCE_SCHEMA keeps the target of a row; else `stored_target` has it from the label.
        right_or_wrong: whether an answer is right or wrong, as `right` says.
        has_favourable: whether a bias audit compares how often a favourable label is given; else it compares numbers, or nothing.
    """

    name: str
    architecture: str
    per_token: bool = False
    problem_type: str | None = None
    pipeline_tag: str
    main_metrics: tuple[str, ...]
    metrics: tuple[str, ...]
    lower_is_better: tuple[str, ...] = ()
    fields: tuple[str, ...]
    finishes_teacher: bool = True
    stores_target: bool = True
    answer_type: Any = None
    right_or_wrong: bool = False
    has_favourable: bool = False

    def problems(self, task: Task) -> Iterator[str]:
        """Yield a sentence for each contradiction in a task's section of params.yaml."""
        if task.metric not in self.main_metrics:
            yield f"metric {task.metric} is not one of {', '.join(self.main_metrics)} (kind {self.name}); use one of these"
        if len(set(task.labels)) != len(task.labels):
            yield "two labels have the same name; rename one"

    @abc.abstractmethod
    def outputs(self, task: Task) -> int:
        """Return how many numbers the head gives a sequence or a token."""

    @abc.abstractmethod
    def names(self, task: Task) -> list[str]:
        """Return the names of the head's outputs (id2label)."""

    def settings(self, task: Task) -> dict[str, Any]:
        """Return the keys of config.json from which a finished model knows its task again."""
        # Models of one label of several have no problem_type, as transformers saves them.
        found: dict[str, Any] = {} if self.problem_type in (None, SINGLE_LABEL) else {"problem_type": self.problem_type}
        found |= {"reads_pairs": True} if self.reads_pairs(task) else {}
        return found | {name: getattr(task, name) for name in ("maximum_length", "stride") if getattr(task, name) is not None}

    def reads_pairs(self, task: Task) -> bool:
        """Return whether a sequence has two texts."""
        return task.pair

    def metric_of_model(self, labels: Sequence[str]) -> str:  # noqa: ARG002 - for kinds whose metric depends on them
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
    def encode(
        self, segmenter: Segmenter, rows: Sequence[Row], task: Task, maximum_length: int, *, places: bool = False
    ) -> list[list[Example]]:
        """Return the sequences of each row, each of at most `maximum_length` tokens. `places` asks for Example.places."""

    def trained(self, examples: Sequence[Example], row: Row) -> list[Example]:  # noqa: ARG002 - for rows of many sequences
        """Return the sequences of a row that training reads, of those of `encode`."""
        return list(examples)

    def stored_target(self, cells: Mapping[str, Any], task: Task) -> Target | None:  # noqa: ARG002 - for kinds that store labels
        """Return the target of a row of artifacts.SEQUENCE_SCHEMA."""
        return cells.get("target")

    def scale(self, targets: Sequence[Target | None]) -> tuple[float, float] | None:  # noqa: ARG002 - for kinds with numbers
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

    def class_weights(self, targets: Sequence[Target | None], task: Task) -> list[float] | None:  # noqa: ARG002 - for kinds with classes
        """Return a factor for each class, as task.class_weights says; None for 1."""
        return None

    @abc.abstractmethod
    def answers(
        self, logits: Sequence[Sequence[Array]], examples: Sequence[Sequence[Example]], rows: Sequence[Row], task: Task, settings: Settings
    ) -> Any:
        """Return a sequence, or an array, with the answer to each row.

        Args:
            logits: for each row and each of its sequences, float32 [outputs] or [tokens, outputs].
            examples: the sequences, with places.
            rows: the rows.
            task: their task.
            settings: the model's config.json.
        """

    def finish(
        self,
        logits: Sequence[Sequence[Array]],  # noqa: ARG002
        examples: Sequence[Sequence[Example]],  # noqa: ARG002
        rows: Sequence[Row],  # noqa: ARG002
        task: Task,  # noqa: ARG002
    ) -> Finished:
        """Return what is chosen by the outputs on validation rows once a model is trained; see `answers` for the arguments."""
        return Finished()

    @abc.abstractmethod
    def measure(
        self, answers: Any, rows: Sequence[Row], task: Task, weights: Array, settings: Settings, bins: int = 15
    ) -> dict[str, Array]:
        """Return `metrics` for each of several resamples, float64 [resamples].

        Args:
            answers: what `answers` returned.
            rows: labelled rows.
            task: their task.
            weights: how often each row occurs in each resample, float64 [resamples, rows].
            settings: the model's config.json.
            bins: the bins of the calibration error.
        """

    @abc.abstractmethod
    def chance(self, rows: Sequence[Row], task: Task, weights: Array) -> Array:
        """Return the task's metric of the best constant answer for each resample, float64 [resamples]."""

    def right(self, answers: Any, rows: Sequence[Row], task: Task) -> Array | None:  # noqa: ARG002 - for kinds with right and wrong
        """Return 1.0 for each row with the right answer and else 0.0; None where an answer is more or less right."""
        return None

    def unchanged(self, answers: Sequence[Any], before: Sequence[Any], rows: Sequence[Row], task: Task) -> list[bool]:  # noqa: ARG002
        """Return whether each answer says the same as the answer to a similar text, `before`; `rows` are the rows of the answers.

        Augmentation asks this of kinds whose answers are not right or wrong.
        """
        return [one == other for one, other in zip(answers, before, strict=True)]

    @abc.abstractmethod
    def strata(self, row: Row, task: Task) -> str:
        """Return the group of a labelled row whose share is the same in each split."""

    def editable(self, row: Row) -> str:
        """Return the text of a row that may be changed while its labels stay."""
        return row.text

    def edited(self, row: AnyRow, text: str) -> AnyRow | None:
        """Return the row with another text in place of `editable`; None where its labels would not fit."""
        return dataclasses.replace(row, text=text)  # type: ignore[type-var]

    def outcome(self, answers: Any, rows: Sequence[Row], task: Task, favourable: str | None) -> Array | None:  # noqa: ARG002
        """Return the number of each row that a bias audit compares between groups, float64 [rows]; None if there is none.

        `answers` are a model's, or None for the labels of the rows. `favourable` is the favourable label.
        """
        return None

    @abc.abstractmethod
    def show(self, answer: Any, task: Task, settings: Settings) -> str:
        """Return an answer in one line for people."""

    @abc.abstractmethod
    def to_json(self, answer: Any, task: Task, settings: Settings) -> Any:
        """Return an answer as JSON."""

    @abc.abstractmethod
    def expected(self, row: Row, task: Task) -> str:
        """Return the label of a labelled row in one line for people."""


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
        places: bool = False,  # noqa: ARG002 - these models answer for whole sequences
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
        examples: Sequence[Sequence[Example]],  # noqa: ARG002
        rows: Sequence[Row],  # noqa: ARG002
        task: Task,
        settings: Settings,  # noqa: ARG002
    ) -> Any:
        """See Kind.answers."""
        found = [one[0] for one in logits]
        return self.activate(np.stack(found) if found else np.zeros((0, self.outputs(task)), np.float32))

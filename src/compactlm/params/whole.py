"""All of params.yaml, and checks that involve several sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from compactlm.errors import CompactLMError
from compactlm.params.base import Count, CountOrZero, Name, Number, Positive, Section
from compactlm.params.data import Augment, Clean, Data, DiversityFigures, Split, Tokenize
from compactlm.params.distill import Distill, Signals
from compactlm.params.fairness import BiasAudit
from compactlm.params.models import Optimisation, Student, Teacher
from compactlm.params.results import Bootstrap, Energy, Evaluate, Export
from compactlm.params.sources import Ingest
from compactlm.shapes.budget import check_budget, choose_vocabulary_size, parameters_of, sentence_width
from compactlm.shapes.layers import Shape, check_kept, check_losses
from compactlm.tasks import KINDS, kind_of

# Names that appear beside the names of tasks in artifacts and metrics.
RESERVED = {
    "mlm",
    "embedding",
    "embedding_table",
    "embedding_tokens",
    "static",
    "general",
    "base",
    "parameters",
    "cached",
    "gigabytes",
    "energy",
}


class TaskTraining(Section):
    """The settings that a task changes in the optimisation of its fine-tuning or distillation; null changes nothing."""

    epochs: Count | None = None
    learning_rate: Positive | None = None
    batch_tokens: Count | None = None
    dropout: Annotated[Number, Field(ge=0, lt=1)] | None = None

    def applied(self, optimisation: Optimisation) -> Optimisation:
        """Return the optimisation with these changes."""
        return optimisation.model_copy(update=self.model_dump(exclude_none=True))


class Task(Section):
    """A labelled task of a kind (compactlm.tasks). Only `sources` is required, and `labels` for kinds with labels.

    `labels` are in the order of the model's output ids. `metric: null` takes the first metric of the kind. With `pair`, rows have two
    texts. With `class_weights: balanced`, the loss of labels weights each class by the inverse of its frequency. `maximum_length` is the
    maximum number of tokens of a sequence for teacher and student; null takes the values of the sections teacher and tokenize. `stride` is
    the number of tokens that two windows of a longer text share. `unlabelled` lists sources of unlabelled rows of the same form; null takes
    those of signals.task. `teacher` and `student` change the optimisation for this task.
    """

    kind: StrictStr = "classification"
    sources: Annotated[list[Name], Field(min_length=1)]
    labels: list[StrictStr] = Field(default_factory=list)
    metric: StrictStr = ""
    pair: StrictBool = False
    class_weights: Literal["none", "balanced"] = "none"
    maximum_length: Annotated[StrictInt, Field(ge=8)] | None = None
    stride: Count | None = None
    unlabelled: list[Name] | None = None
    teacher: TaskTraining = TaskTraining()
    student: TaskTraining = TaskTraining()

    @model_validator(mode="before")
    @classmethod
    def _default_metric(cls, content: Any) -> Any:
        named = content.get("kind", "classification") if isinstance(content, dict) else None
        kind = KINDS.get(named) if isinstance(named, str) else None
        return content | {"metric": kind.main_metrics[0]} if kind and content.get("metric") is None else content

    @model_validator(mode="after")
    def _fits_the_kind(self) -> Task:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}; use one of these")
        for problem in kind_of(self).problems(self):
            raise ValueError(problem)
        return self

    def length(self, otherwise: int) -> int:
        """Return the maximum number of tokens of a sequence; `otherwise` if the task does not set it."""
        return self.maximum_length or otherwise


class Params(Section):
    """All of params.yaml. `batch_tokens` is the maximum number of tokens per batch, with padding, in inference; training has its own."""

    preset: StrictStr
    seed: Annotated[CountOrZero, Field(lt=2**32)]  # the largest seed of NumPy
    threads: Count
    precision: Literal["fp32", "bf16"]
    batch_tokens: Count
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    data: Data
    ingest: Ingest
    clean: Clean
    split: Split
    diversity: DiversityFigures
    teacher: Teacher
    augment: Augment
    bias_audit: BiasAudit
    tokenize: Tokenize
    student: Student
    signals: Signals
    distill: Distill
    bootstrap: Bootstrap
    energy: Energy
    evaluate: Evaluate
    export: Export

    @model_validator(mode="after")
    def _fits_together(self) -> Params:
        for problem in _contradictions(self):
            raise ValueError(problem)
        return self

    @property
    def outputs(self) -> int:
        """The largest number of outputs of a task's head. The check of the student's size uses it."""
        return max(kind_of(task).outputs(task) for task in self.tasks.values())


def _contradictions(params: Params) -> Iterator[str]:
    """Yield a sentence for each contradiction between sections."""
    for name, task in params.tasks.items():
        yield from _task_contradictions(params, name, task)
    owners: dict[str, str] = {}
    for name, task in params.tasks.items():
        for source in task.sources:
            if source in owners:
                yield f"tasks.{name}.sources and tasks.{owners[source]}.sources both name {source!r}; a source belongs to one task"
            owners[source] = name
    for name in params.bias_audit.protected:
        if name not in params.tasks:
            yield f"bias_audit.protected names the task {name!r}, which is not in tasks; remove it or correct the name"
    yield from _unlabelled_contradictions(params, owners)
    retrieval = params.evaluate.embedding.retrieval
    named_sources = {"split.weights": list(params.split.weights), "split.sources": list(params.split.sources)}
    for key, named in (named_sources | {"evaluate.embedding.retrieval": retrieval}).items():
        for source in named:
            if source not in params.ingest.sources:
                yield f"{key} names {source!r}, which is not in ingest.sources; add it there or correct the name"
    yield from _size_contradictions(params)
    yield from _loss_contradictions(params)
    yield from _embedding_contradictions(params)
    yield from _budget_contradictions(params)


def _unlabelled_contradictions(params: Params, owners: Mapping[str, str]) -> Iterator[str]:
    cut = params.clean.sentences.sources if params.clean.sentences else []
    of_tasks = [(f"tasks.{name}.unlabelled", task.unlabelled or []) for name, task in params.tasks.items()]
    for key, named in (("signals.task.unlabelled", params.signals.task.unlabelled), ("clean.sentences.sources", cut), *of_tasks):
        for source in named:
            if source not in params.ingest.sources:
                yield f"{key} names {source!r}, which is not in ingest.sources; add it there or correct the name"
            elif source in owners and not (
                key == f"tasks.{owners[source]}.unlabelled" and params.ingest.sources[source].columns.unlabelled
            ):
                yield f"{key} names {source!r}, whose rows are labelled for tasks.{owners[source]}; use unlabelled sources"


def _size_contradictions(params: Params) -> Iterator[str]:
    if params.tokenize.maximum_length > params.student.maximum_positions:
        yield "tokenize.maximum_length is greater than student.maximum_positions; lower the first or raise the second"
    if params.tokenize.maximum_length > params.teacher.maximum_length:
        yield "tokenize.maximum_length is greater than teacher.maximum_length, but the teacher reads the same sequences; lower it"
    for name, task in params.tasks.items():
        if (task.maximum_length or 0) > params.student.maximum_positions:
            yield f"tasks.{name}.maximum_length is greater than student.maximum_positions; lower the first or raise the second"


def _task_contradictions(params: Params, name: str, task: Task) -> Iterator[str]:
    sources = params.ingest.sources
    if name in RESERVED:
        yield f"tasks.{name}: the pipeline uses the name {name} itself; choose another"
    for source in task.sources:
        if source not in sources:
            yield f"tasks.{name}.sources names {source!r}, which is not in ingest.sources; add it there or correct the name"
        elif "label" in kind_of(task).fields and sources[source].columns.label is None:
            yield f"tasks.{name}.sources names {source!r}, but ingest.sources.{source}.columns.label is null; name the column there"
    for attribute in params.bias_audit.protected.get(name, []):
        if attribute not in params.bias_audit.attributes:
            yield f"bias_audit.protected.{name} names {attribute!r}, which is not in bias_audit.attributes; add it there or correct it"
        elif kind_of(task).has_favourable and params.bias_audit.favorable_labels.get(name) not in task.labels:
            yield f"bias_audit.favorable_labels.{name} is not one of tasks.{name}.labels ({', '.join(task.labels)}); use one of these"
        else:
            yield from _column_contradictions(params, name, task, attribute)


def _column_contradictions(params: Params, name: str, task: Task, attribute: str) -> Iterator[str]:
    for source in task.sources if params.bias_audit.attributes[attribute].found_in == "column" else ():
        if source in params.ingest.sources and attribute not in params.ingest.sources[source].columns.attributes:
            yield (
                f"bias_audit.attributes.{attribute} is found in a column, but ingest.sources.{source}.columns.attributes (a source of "
                f"tasks.{name}) names no column for it; add it there"
            )


def _budget_contradictions(params: Params) -> Iterator[str]:
    student, parameters = params.student, params.teacher.parameters
    if parameters is None:
        return
    try:
        width = sentence_width(student, params.distill.embedding.enabled, params.distill.embedding.width)
        vocabulary = choose_vocabulary_size(student, parameters, params.outputs, width)
        check_budget(parameters_of(student, vocabulary, params.outputs, width), parameters, student.budget)
    except CompactLMError as error:
        yield str(error)


def _embedding_contradictions(params: Params) -> Iterator[str]:
    embedding = params.distill.embedding
    losses = ("cosine", "mse", "components", "similarity_kl", "similarity_mse", "contrastive", "opposites")
    if embedding.enabled and not any(getattr(embedding, loss).weight for loss in losses):
        yield "distill.embedding has no loss with a weight above 0; set one of the weights, or set distill.embedding.enabled to false"
    if embedding.enabled and not (embedding.table or embedding.tokens or embedding.optimisation):
        yield "distill.embedding trains nothing; set table, tokens or optimisation, or set distill.embedding.enabled to false"
    if embedding.enabled and embedding.tokens and not params.signals.embedding.token_texts:
        yield "distill.embedding.tokens is set, but signals.embedding.token_texts is 0; raise it, or set distill.embedding.tokens to null"
    if params.distill.task.start == "embedding" and embedding.enabled is False:
        yield "distill.task.start is embedding, but distill.embedding.enabled is false; choose another start, or enable the embedding"


def _loss_contradictions(params: Params) -> Iterator[str]:
    kept, shape = params.signals.layers, params.student
    student = Shape(shape.layers, shape.hidden_size, shape.attention_heads)
    try:
        if isinstance(kept, list):
            check_kept(kept)
        for phase, losses in (("general", params.distill.general), ("task", params.distill.task)):
            # A number of layers becomes layers once the teacher is loaded; the stages then check the losses again.
            check_losses(f"distill.{phase}", losses, student, None, kept)
    except CompactLMError as error:
        yield str(error)
    for phase, losses in (("general", params.distill.general), ("task", params.distill.task)):
        if losses.attention.weight and params.signals.source == "cached":
            yield (
                f"distill.{phase}.attention has a weight, but attentions are not cached; set signals.source to online or the weight to 0"
            )
        others = (losses.hidden, losses.embeddings, losses.relations, losses.attention)
        if not any((losses.soft_weight, losses.hard_weight, *(other.weight for other in others))):
            yield f"distill.{phase} has no loss with a weight above 0; set one of the weights"

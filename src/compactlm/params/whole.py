"""All of params.yaml, and what no single section can see to be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Name, Section
from compactlm.params.data import Augment, Clean, Data, DiversityFigures, Split, Tokenize
from compactlm.params.distill import AttentionLoss, Distill, HiddenLoss, RelationLoss
from compactlm.params.fairness import BiasAudit
from compactlm.params.results import Energy, Evaluate, Export
from compactlm.params.signals import Signals
from compactlm.params.sources import Ingest
from compactlm.params.student import Student
from compactlm.params.tasks import Task
from compactlm.params.teacher import Teacher

# These stand beside the tasks' names in artifacts and metrics.
RESERVED = {"mlm", "embedding", "general", "mlm_head", "parameters", "fitted_mlm_head", "cached", "gigabytes", "energy"}


class Params(Section):
    """All of params.yaml. `batch_tokens` is the tokens a batch, padding included, where models only read; training has its own."""

    preset: StrictStr
    seed: Annotated[CountOrZero, Field(lt=2**32)]  # all that NumPy takes
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
    energy: Energy
    evaluate: Evaluate
    export: Export

    @model_validator(mode="after")
    def _fits_together(self) -> Params:
        for problem in _contradictions(self):
            raise ValueError(problem)
        return self


def _contradictions(params: Params) -> Iterator[str]:
    """Yield what no single section can see to be wrong."""
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
    for source in params.split.weights:
        if source not in params.ingest.sources:
            yield f"split.weights names {source!r}, which is not in ingest.sources; add it there or correct the name"
    yield from _size_contradictions(params)
    yield from _loss_contradictions(params)
    yield from _budget_contradictions(params)


def _unlabelled_contradictions(params: Params, owners: Mapping[str, str]) -> Iterator[str]:
    cut = params.clean.sentences.sources if params.clean.sentences else []
    for key, named in (("signals.task.unlabelled", params.signals.task.unlabelled), ("clean.sentences.sources", cut)):
        for source in named:
            if source not in params.ingest.sources:
                yield f"{key} names {source!r}, which is not in ingest.sources; add it there or correct the name"
            elif source in owners:
                yield f"{key} names {source!r}, whose rows are labelled for tasks.{owners[source]}; name unlabelled sources"


def _size_contradictions(params: Params) -> Iterator[str]:
    if params.tokenize.maximum_length > params.student.maximum_positions:
        yield "tokenize.maximum_length is greater than student.maximum_positions; lower the one or raise the other"
    if params.tokenize.maximum_length > params.teacher.maximum_length:
        yield "tokenize.maximum_length is greater than teacher.maximum_length, and the teacher reads the same sequences; lower it"


def _task_contradictions(params: Params, name: str, task: Task) -> Iterator[str]:
    sources = params.ingest.sources
    if name in RESERVED:
        yield f"tasks.{name}: the name {name} is taken by the pipeline itself; choose another"
    for source in task.sources:
        if source not in sources:
            yield f"tasks.{name}.sources names {source!r}, which is not in ingest.sources; add it there or correct the name"
        elif sources[source].columns.label is None:
            yield f"tasks.{name}.sources names {source!r}, but ingest.sources.{source}.columns.label is null; say where its labels are"
    for attribute in params.bias_audit.protected.get(name, []):
        if attribute not in params.bias_audit.attributes:
            yield f"bias_audit.protected.{name} names {attribute!r}, which is not in bias_audit.attributes; add it there or correct it"
        elif params.bias_audit.favorable_labels.get(name) not in task.labels:
            yield f"bias_audit.favorable_labels.{name} is not one of tasks.{name}.labels ({', '.join(task.labels)}); name one of these"
        else:
            yield from _column_contradictions(params, name, task, attribute)


def _column_contradictions(params: Params, name: str, task: Task, attribute: str) -> Iterator[str]:
    for source in task.sources if params.bias_audit.attributes[attribute].found_in == "column" else ():
        if source in params.ingest.sources and attribute not in params.ingest.sources[source].columns.attributes:
            yield (
                f"bias_audit.attributes.{attribute} is found in a column, but ingest.sources.{source}.columns.attributes, a source of "
                f"tasks.{name}, names none for it; add it there"
            )


def _budget_contradictions(params: Params) -> Iterator[str]:
    if params.teacher.parameters is None:
        return
    student, labels = params.student, max(len(task.labels) for task in params.tasks.values())
    allowed = int(params.teacher.parameters * student.budget)
    if student.vocabulary_size == "fit":
        if student.fitting_vocabulary(allowed, labels) < 100:
            yield (
                f"student.budget allows {allowed:,} parameters ({student.budget:.0%} of the teacher's), which "
                "leaves no room for a vocabulary (student.vocabulary_size: fit); lower student.layers or student.hidden_size"
            )
        return
    size = student.count_parameters(student.vocabulary_size, labels)
    if size > allowed:
        yield (
            f"the student has {size:,} parameters and student.budget allows {allowed:,} ({student.budget:.0%} of the teacher's "
            f"{params.teacher.parameters:,}); set student.vocabulary_size to fit, "
            "or lower student.layers or student.hidden_size"
        )


def _loss_contradictions(params: Params) -> Iterator[str]:
    kept = params.signals.layers
    if len(set(kept)) != len(kept):
        yield "signals.layers names a layer twice; name each once"
    for phase, losses in (("general", params.distill.general), ("task", params.distill.task)):
        where = f"distill.{phase}"
        if losses.embeddings.weight and 0 not in kept:
            yield f"{where}.embeddings has a weight, but signals.layers lacks 0, the embeddings; add it or set the weight to 0"
        if losses.attention.weight and params.signals.source == "cached":
            yield f"{where}.attention has a weight, but attentions are not cached; set signals.source to online or the weight to 0"
        if losses.relations.weight and params.student.hidden_size % losses.relations.heads:
            yield f"{where}.relations.heads does not divide student.hidden_size; choose a number that does"
        yield from _layer_contradictions(params, f"{where}.hidden", losses.hidden, 0)
        yield from _layer_contradictions(params, f"{where}.relations", losses.relations, 1)
        yield from _layer_contradictions(params, f"{where}.attention", losses.attention, 1)
        others = (losses.hidden, losses.embeddings, losses.relations, losses.attention)
        if not any((losses.soft_weight, losses.hard_weight, *(other.weight for other in others))):
            yield f"{where} has no loss with a weight above 0; give one of them a weight"


def _layer_contradictions(
    params: Params, where: str, loss: HiddenLoss | RelationLoss | AttentionLoss, lowest: Literal[0, 1]
) -> Iterator[str]:
    """Yield what is wrong with named pairs of layers: of hidden states from 0, or of attention from 1, the state before it kept."""
    if not loss.weight or isinstance(loss.layers, str):
        return
    learners = [own for own, _ in loss.layers]
    for at, own in enumerate(learners):
        if own in learners[:at]:
            yield f"{where}.layers has the student's layer {own} twice; keep one of its pairs"
        elif at and own < learners[at - 1]:
            before = learners[at - 1]
            yield f"{where}.layers has the student's layer {own} after {before}; list the pairs in the order of the student's layers"
    for own, theirs in loss.layers:
        if min(own, theirs) < lowest:
            yield f"{where}.layers pairs 0, the embeddings, which have no attention; name layers from 1"
        elif own > params.student.layers:
            yield f"{where}.layers names the student's layer {own}, but student.layers is {params.student.layers}; correct one of the two"
        elif not isinstance(loss, AttentionLoss) and theirs - lowest not in params.signals.layers:
            come = f", whose relations come from layer {theirs - 1}" if lowest else ""
            yield f"{where}.layers names the teacher's layer {theirs}{come}, which signals.layers lacks; add it there"

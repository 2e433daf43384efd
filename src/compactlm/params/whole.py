"""All of params.yaml, and what no single section can see to be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StrictStr, model_validator

from compactlm.params.base import Count, CountOrZero, Name, Section
from compactlm.params.data import Augment, BiasAudit, Clean, Split, Tokenize
from compactlm.params.models import Distill, Student, Teacher
from compactlm.params.results import Evaluate, Export
from compactlm.params.sources import Ingest
from compactlm.params.tasks import Task

RESERVED = {"mlm", "general", "mlm_head", "parameters", "fitted_mlm_head"}  # stand beside the tasks' names in artifacts and metrics


class Params(Section):
    """All of params.yaml. `batch_tokens` is the pieces a batch, padding included, where models only read; training has its own."""

    preset: StrictStr
    seed: CountOrZero
    threads: Count
    precision: Literal["fp32", "bf16"]
    batch_tokens: Count
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    ingest: Ingest
    clean: Clean
    split: Split
    teacher: Teacher
    augment: Augment
    bias_audit: BiasAudit
    tokenize: Tokenize
    student: Student
    distill: Distill
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
    for source in params.distill.task.unlabelled:
        if source not in params.ingest.sources:
            yield f"distill.task.unlabelled names {source!r}, which is not in ingest.sources; add it there or correct the name"
        elif source in owners:
            yield f"distill.task.unlabelled names {source!r}, whose rows are labelled for tasks.{owners[source]}; name unlabelled sources"
    yield from _size_contradictions(params)
    yield from _budget_contradictions(params)


def _size_contradictions(params: Params) -> Iterator[str]:
    if params.distill.task.hidden_layers > params.student.layers:
        yield "distill.task.hidden_layers is greater than student.layers; lower it"
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


def _budget_contradictions(params: Params) -> Iterator[str]:
    if params.teacher.parameters is None:
        return
    labels = max(len(task.labels) for task in params.tasks.values())
    size = params.student.count_parameters(labels)
    allowed = int(params.teacher.parameters * params.student.budget)
    if size > allowed:
        yield (
            f"the student has {size:,} parameters and student.budget allows {allowed:,} ({params.student.budget:.0%} of the teacher's "
            f"{params.teacher.parameters:,}); lower student.vocabulary_size, student.layers or student.hidden_size"
        )

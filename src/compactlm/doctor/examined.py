"""The examined run: its artifacts, which are read when a check needs them, and the answers of all contestants."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch
from transformers import BertPreTrainedModel

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert import models
from compactlm.bert.task_models import load_task_model
from compactlm.distillation.phases import Phases
from compactlm.doctor.baseline import Baseline, fit_baseline
from compactlm.doctor.chance import Labels
from compactlm.draws import sample
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.contestants import Role, load_reader
from compactlm.params import Params
from compactlm.student.building import build_task_model
from compactlm.tasks import kind_of
from compactlm.tasks.base import Settings

TRAIN_ROWS, VALIDATION_ROWS = 6000, 1000  # at most so many labelled rows of a task are read
FEWEST_ROWS = 30  # with fewer labelled rows, accuracy is not judged
ROLES = ("random", "first", "student", "teacher")  # a student with random weights, the student before training, and the finished models


class Run:
    """The artifacts of a run. Rows are drawn by the seed."""

    def __init__(self, params: Params) -> None:
        self.params = params
        self.task = functools.cache(lambda name: TaskRun(self, name))

    @functools.cached_property
    def rows(self) -> dict[str, list[Document]]:
        """The rows of all splits. Of test rows, only ids and texts may be compared."""
        return {name: artifacts.read_documents(artifacts.SPLIT / name) for name in artifacts.SPLITS}

    @functools.cached_property
    def phases(self) -> Phases:
        """The phases of distillation, which can build the student as it was before training."""
        return Phases(self.params)

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks."""
        return list(self.params.tasks)

    def sampled(self, split: str) -> list[Document]:
        """Return some rows of a split, labelled or not."""
        return sample(self.rows[split], VALIDATION_ROWS, self.params.seed)

    def roles(self) -> tuple[Role, Role]:
        """Return teacher and student."""
        lengths = self.params.teacher.maximum_length, self.params.tokenize.maximum_length
        return Role("teacher", artifacts.TEACHER, lengths[0], artifacts.BASE), Role("student", artifacts.STUDENT, lengths[1])


class TaskRun:
    """The labelled rows of a task, and the contestants' answers to its validation rows."""

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name, self.task = run, name, run.params.tasks[name]
        self.kind, self.labels = kind_of(self.task), self.task.labels

    @property
    def has_one_label(self) -> bool:
        """Whether each row has exactly one label. Only such tasks are compared with TF-IDF and judged by accuracy."""
        return self.kind.name == "classification"

    @functools.cache  # noqa: B019 - the run lives as long as the command
    def rows(self, split: str) -> list[Document]:
        """Return up to TRAIN_ROWS or VALIDATION_ROWS labelled rows of train or validation, with labels of the task."""
        own = [row for row in self.labelled(split) if self.kind.invalid(row, self.task) is None]
        return sample(own, TRAIN_ROWS if split == "train" else VALIDATION_ROWS, self.run.params.seed)

    def labelled(self, split: str) -> list[Document]:
        """Return all labelled rows of a split except copies, including rows with wrong labels."""
        return [row for row in self.run.rows[split] if row.task == self.name and row.parent is None and self.kind.is_labelled(row)]

    def taught(self, row: Document) -> Hashable:
        """Return a row's target in a normal form. If all rows have the same, there is nothing to learn."""
        values = (getattr(row, name) for name in (*self.kind.fields, "answer"))
        return tuple(frozenset(value) if isinstance(value, tuple) else value for value in values)

    def expected(self, split: str) -> Labels:
        """Return the label ids of `rows`, for a task with one label per row."""
        return np.array([self.labels.index(str(row.label)) for row in self.rows(split)], dtype=np.int64)

    @property
    def can_be_judged(self) -> bool:
        """Whether both splits have enough labelled rows, and the train rows have different targets."""
        enough = all(len(self.rows(split)) >= FEWEST_ROWS for split in ("train", "validation"))
        train = self.rows("train")
        return enough and len(set(map(self.taught, train))) > 1 and all(row.text.strip() for row in train)

    @functools.cached_property
    def baseline(self) -> Baseline:
        """TF-IDF with logistic regression."""
        train, validation = ([f"{row.text} {row.pair or ''}" for row in self.rows(split)] for split in ("train", "validation"))
        return fit_baseline(train, self.expected("train"), validation)

    @functools.cache  # noqa: B019 - the run lives as long as the command
    def said(self, role: str) -> tuple[Any, Settings]:
        """Return the answers of one of ROLES to the validation rows, as Kind.answers does, and the config.json of its model."""
        reader = self._reader(role)
        return reader.answers(self.rows("validation")), reader.settings

    @property
    def teacher(self) -> Labels:
        """The label ids that the teacher predicts."""
        return self._ids("teacher")

    @property
    def student(self) -> Labels:
        """The label ids that the student predicts."""
        return self._ids("student")

    @property
    def first(self) -> Labels:
        """The label ids that the student predicts before training."""
        return self._ids("first")

    @property
    def random(self) -> Labels:
        """The label ids that a student with random weights predicts."""
        return self._ids("random")

    def _ids(self, role: str) -> Labels:
        return self.said(role)[0].argmax(axis=1).astype(np.int64)

    @functools.cached_property
    def first_model(self) -> BertPreTrainedModel:
        """The student with the weights with which distillation begins."""
        phases, start = self.run.phases, self.run.params.distill.task.start
        general = models.load_body(artifacts.STUDENT / (artifacts.EMBEDDING if start == "embedding" else artifacts.MLM))
        teacher = load_task_model(artifacts.TEACHER / self.name)
        rows = phases.inputs.task(self.name)
        return phases.untrained_task(self.name, general, torch.zeros(0), teacher, rows)[0].to(models.best_device())

    def _reader(self, role: str) -> Reader:
        params = self.run.params
        saved = dict(zip(("teacher", "student"), self.run.roles(), strict=True))
        if role in saved:
            return load_reader(saved[role], self.name, self.task, params.batch_tokens)
        model: Any = self.first_model
        if role == "random":
            model = build_task_model(model, self.task, params.seed, body=False).to(models.best_device())
        length = self.task.length(params.tokenize.maximum_length)
        return Reader(model, self.run.phases.inputs.tokenizer, length, params.batch_tokens, f"{role}, {self.name}", self.task)


def accuracy(expected: Labels, predicted: Labels) -> float:
    """Return the share of right answers."""
    return float((expected == predicted).mean())


def named(names: Sequence[str], most: int = 3) -> str:
    """Return the first names of a list, and the number of the others."""
    more = f" and {len(names) - most} others" if len(names) > most else ""
    return ", ".join(names[:most]) + more

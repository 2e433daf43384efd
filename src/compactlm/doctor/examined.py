"""The run under examination: its artifacts, read when a check needs them, and the answers of all contestants."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from transformers import BertForSequenceClassification

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert import models
from compactlm.distillation.phases import Phases
from compactlm.doctor.baseline import Baseline, fit_baseline
from compactlm.doctor.chance import Labels
from compactlm.draws import sample
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.contestants import Role, load_reader
from compactlm.params import Params
from compactlm.student.building import build_classifier

TRAIN_ROWS, VALIDATION_ROWS = 6000, 1000  # at most so many labelled rows of a task are read
FEWEST_ROWS = 30  # with fewer labelled rows, accuracy is not judged


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
        """The phases of distillation, to build a student as it was before training."""
        return Phases(self.params)

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks that give one text one of several labels; the checks of tasks are for these."""
        return [name for name, task in self.params.tasks.items() if task.kind == "classification" and not task.pair]

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
        self.labels = self.task.labels

    @functools.cache  # noqa: B019 - the run lives as long as the command
    def rows(self, split: str) -> list[Document]:
        """Return the labelled rows of train or validation, at most TRAIN_ROWS or VALIDATION_ROWS, with labels of the task."""
        own = [row for row in self.run.rows[split] if row.task == self.name and row.parent is None and row.label in self.labels]
        return sample(own, TRAIN_ROWS if split == "train" else VALIDATION_ROWS, self.run.params.seed)

    def expected(self, split: str) -> Labels:
        """Return the label ids of `rows`."""
        return np.array([self.labels.index(str(row.label)) for row in self.rows(split)], dtype=np.int64)

    @property
    def can_be_judged(self) -> bool:
        """Whether both splits have enough labelled rows, and train has two labels."""
        enough = all(len(self.rows(split)) >= FEWEST_ROWS for split in ("train", "validation"))
        return enough and len(np.unique(self.expected("train"))) > 1 and all(row.text.strip() for row in self.rows("train"))

    @functools.cached_property
    def baseline(self) -> Baseline:
        """TF-IDF with logistic regression."""
        train, validation = ([row.text for row in self.rows(split)] for split in ("train", "validation"))
        return fit_baseline(train, self.expected("train"), validation)

    def answers(self, reader: Reader) -> Labels:
        """Return the label ids that a classifier predicts for the validation rows."""
        return reader.probabilities([row.text for row in self.rows("validation")]).argmax(axis=1).astype(np.int64)

    @functools.cached_property
    def teacher(self) -> Labels:
        """The teacher's answers."""
        return self.answers(load_reader(self.run.roles()[0], self.name, self.task, self.run.params.batch_tokens))

    @functools.cached_property
    def student(self) -> Labels:
        """The student's answers."""
        return self.answers(load_reader(self.run.roles()[1], self.name, self.task, self.run.params.batch_tokens))

    @functools.cached_property
    def first_model(self) -> BertForSequenceClassification:
        """The student with its first weights, as distillation begins with it."""
        phases, start = self.run.phases, self.run.params.distill.task.start
        general = models.load_body(artifacts.STUDENT / (artifacts.EMBEDDING if start == "embedding" else artifacts.MLM))
        teacher = models.load_classifier(artifacts.TEACHER / self.name)
        rows = phases.inputs.task(self.name)
        return phases.untrained_task(self.name, general, torch.zeros(0), teacher, rows)[0].to(models.best_device())

    @functools.cached_property
    def first(self) -> Labels:
        """The answers of the student before training."""
        return self.answers(self._reader(self.first_model, "student before training"))

    @functools.cached_property
    def random(self) -> Labels:
        """The answers of a student with random weights."""
        model = build_classifier(self.first_model, self.labels, self.run.params.seed, body=False).to(models.best_device())
        return self.answers(self._reader(model, "random student"))

    def _reader(self, model: BertForSequenceClassification, name: str) -> Reader:
        params, tokenizer = self.run.params, self.run.phases.inputs.tokenizer
        return Reader(model, tokenizer, params.tokenize.maximum_length, params.batch_tokens, f"{name}, {self.name}", self.task)


def accuracy(expected: Labels, predicted: Labels) -> float:
    """Return the share of right answers."""
    return float((expected == predicted).mean())


def named(names: Sequence[str], most: int = 3) -> str:
    """Return the first names of a list, and how many others there are."""
    more = f" and {len(names) - most} others" if len(names) > most else ""
    return ", ".join(names[:most]) + more

"""The two phases of distillation, from tokenized rows and a teacher to students in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from transformers import BertForMaskedLM, BertForSequenceClassification, PreTrainedModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.masked_words import choose_words, top1
from compactlm.bert.memory import memory_errors
from compactlm.distillation.checks import check_losses
from compactlm.distillation.examples import GeneralExamples, TaskExamples, TaskQuestions
from compactlm.distillation.general import GeneralObjective
from compactlm.distillation.matching import Matching
from compactlm.distillation.preparation import GENERAL, Prepared
from compactlm.distillation.signals.cache import Questions
from compactlm.distillation.signals.counterfactual import average_families
from compactlm.distillation.task import TaskObjective, build_task_student
from compactlm.figures.figure import Figure
from compactlm.figures.quality import accuracy, retention
from compactlm.params import Losses, Optimisation, Params
from compactlm.shapes.layers import uniform_layers
from compactlm.shapes.parameters import parameters_of
from compactlm.student.building import build_config, check_budget, count_parameters
from compactlm.student.inheriting import initialise
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.curves import curves
from compactlm.training.loop import Examples, Settings, set_dropout, train
from compactlm.training.thresholds import best_threshold

SAMPLE_TOKENS = 15_000  # of text on which inherited weights are fitted


def _show_attentions(losses: Losses, *bert: PreTrainedModel) -> None:
    """Let models compute attention so that its probabilities can be seen, which is slower, where a loss asks for them."""
    if losses.attention.weight:
        for model in bert:
            model.set_attn_implementation("eager")


def _match(student: Any, teacher: Any, kept: Sequence[int], components: torch.Tensor, section: str, losses: Losses) -> Matching:
    """Return the losses between layers, and say which pairs of a layer map they do without."""
    matching = Matching(student.bert, teacher.bert, kept, components, losses)
    if processes.is_main_process():
        for sentence in matching.describe():
            tqdm.write(f"{section}.{sentence}")
    return matching


class Phases:
    """What the phases share: parameters, rows, and what is reported in the end."""

    def __init__(self, params: Params, checkpoints: Mapping[str, Checkpoint] | None = None, curve_directory: Path | None = None) -> None:
        """Read the tokenized rows; `checkpoints` by phase and the directory of learning curves are optional."""
        self.params, self.prepared = params, Prepared(params)
        self.settings = Settings(params.seed, params.precision, params.distill.checkpoint_minutes)
        self.checkpoints, self.curve_directory = checkpoints or {}, curve_directory
        self.timings: dict[str, object] = {}
        self.metrics: dict[str, dict[str, float | Figure]] = {}

    def general(self) -> tuple[BertForMaskedLM, torch.Tensor]:
        """Distil the masked language model; return it, and the components by which it inherited its weights.

        Raises:
            CompactLMError: the student has more parameters than the budget allows, or one of the phases cannot be done.
        """
        params, prepared = self.params, self.prepared
        teacher, _ = models.load_masked_lm(artifacts.TEACHER / artifacts.MLM)
        check_losses(params, teacher.config)
        prepared.check_caches()
        questions = prepared.general()
        student, components = self._begin(teacher, questions)
        _show_attentions(params.distill.general, student, teacher)
        source = prepared.general_source(teacher.to(models.best_device()), questions)
        matching = _match(student, teacher, source.layers, components, "distill.general", params.distill.general)
        objective = GeneralObjective(student, matching, params.distill.general, params.signals.general.temperature)
        set_dropout(student, params.distill.general.optimisation.dropout)
        examples = GeneralExamples(questions, source, params.signals.general.maskings)
        self._train(GENERAL, objective, examples, params.distill.general.optimisation)
        matching.recorder.close()
        self.metrics[GENERAL].update(self._masked_words(student, teacher))
        return student, components

    def untrained(self) -> tuple[BertForMaskedLM, torch.Tensor]:
        """Return what `general` starts from."""
        teacher, _ = models.load_masked_lm(artifacts.TEACHER / artifacts.MLM)
        return self._begin(teacher, self.prepared.general())

    def _begin(self, teacher: BertForMaskedLM, questions: Questions) -> tuple[BertForMaskedLM, torch.Tensor]:
        torch.manual_seed(self.params.seed)
        student = BertForMaskedLM(build_config(self.params.student, len(self.prepared.id_map)))
        # Tasks are asked about before the first of them is trained: with many labels a classifier is larger than the masked language model.
        labels = max(len(task.labels) for task in self.params.tasks.values())
        largest = max(count_parameters(student), parameters_of(self.params.student, len(self.prepared.id_map), labels))
        check_budget(largest, models.count_with_head(teacher), self.params.student.budget)
        return student, self._initialise(student, teacher, questions)

    def task(self, name: str, general: BertForMaskedLM, components: torch.Tensor) -> BertForSequenceClassification:
        """Distil one task's student, from the general student and its components."""
        params, prepared = self.params, self.prepared
        distill, labels = params.distill.task, params.tasks[name].labels
        teacher = models.load_classifier(artifacts.TEACHER / name)
        weights = {row["id"]: row["weight"] for row in artifacts.read_table(artifacts.WEIGHTED).to_pylist()}
        rows = prepared.task(name, weights)
        questions = TaskQuestions(rows)
        student = build_task_student(general, labels, params.seed, body=distill.start == "general")
        if distill.start == "teacher":
            components = self._initialise(student, teacher, questions)
        _show_attentions(distill, student, teacher)
        source = prepared.task_source(name, teacher.to(models.best_device()), questions)
        answers = average_families(source, questions, prepared.counterfactual_parents(), params.batch_tokens)
        matching = _match(student, teacher, source.layers, components, "distill.task", distill)
        set_dropout(student, distill.optimisation.dropout)
        self._train(name, TaskObjective(student, matching, distill), TaskExamples(rows, answers), distill.optimisation)
        matching.recorder.close()
        held_out = [row for row in artifacts.read_table(artifacts.TOKENIZED / "validation").to_pylist() if row["task"] == name]
        logits = models.classify(student, [row["input_ids"] for row in held_out], params.batch_tokens, f"{name}, validation")
        expected = [labels.index(row["label"]) for row in held_out]
        right = accuracy(expected, logits.argmax(dim=1).tolist())
        self.metrics[name] |= {"validation_accuracy": Figure.over_rows(right, len(held_out))}
        if len(labels) == 2:
            threshold = best_threshold(logits.softmax(dim=1)[:, 1].numpy(), np.array(expected))
            student.config.decision_threshold = threshold
            self.metrics[name]["decision_threshold"] = 0.5 if threshold is None else threshold
        return student

    def _initialise(self, student: Any, teacher: Any, questions: Questions) -> torch.Tensor:
        """Give the student its first weights, fitted on the first rows of some text as far as SAMPLE_TOKENS reach."""
        rows, tokens = 0, 0
        while rows < len(questions.lengths) and tokens < SAMPLE_TOKENS:
            tokens += questions.lengths[rows]
            rows += 1
        sample = questions.question(range(rows))
        layers = uniform_layers(self.params.student.layers, teacher.config.num_hidden_layers)
        kind = self.params.student.initialisation
        student.cpu()
        with memory_errors("the first weights", 0, [], 0):
            return initialise(student, teacher.cpu(), self.prepared.id_map, kind, sample["input_ids"], sample["attention_mask"], layers)

    def _train(self, phase: str, objective: torch.nn.Module, examples: Examples, optimisation: Optimisation) -> None:
        drawn = self.curve_directory is not None and processes.is_main_process()
        with curves(self.curve_directory / phase) if drawn and self.curve_directory else contextlib.nullcontext() as log:
            section = f"distill.{GENERAL if phase == GENERAL else 'task'}.optimisation"
            summary = train(phase, objective, examples, optimisation, self.settings, self.checkpoints.get(phase), log, section)
        self.timings[phase] = summary.speed()
        self.metrics[phase] = dict(summary.history[-1][1])

    def _masked_words(self, student: BertForMaskedLM, teacher: BertForMaskedLM) -> dict[str, Figure]:
        """Return the share of masked words of the validation rows that are the student's first choice, and its ratio to the teacher's."""
        params, batch_tokens = self.params, self.params.batch_tokens
        theirs = models.load_tokenizer(artifacts.TEACHER / artifacts.MLM)
        texts = {row.id: row.text for row in artifacts.read_documents(artifacts.SPLIT / "validation")}
        words = choose_words(texts, [theirs, self.prepared.tokenizer], params.teacher.mlm_head.validation_words, params.seed)
        lengths = params.tokenize.maximum_length, params.teacher.maximum_length
        own = top1(student, self.prepared.tokenizer, words, lengths[0], batch_tokens, "student, masked words")
        reference = top1(teacher, theirs, words, lengths[1], batch_tokens, "teacher, masked words")
        found = {"validation_top1": own, "validation_top1_retention": retention(own, reference)}
        return {name: Figure.over_rows(value, len(words)) for name, value in found.items()}

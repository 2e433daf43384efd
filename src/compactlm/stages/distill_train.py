"""Distil the student: first on unlabelled text, then for each task."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm import artifacts
from compactlm.distillation import models, processes
from compactlm.distillation.checkpoints import Checkpoint, fingerprint
from compactlm.distillation.curves import curves
from compactlm.distillation.examples import GeneralExamples, TaskExamples, TaskQuestions
from compactlm.distillation.general import GeneralObjective
from compactlm.distillation.layers import uniform_layers
from compactlm.distillation.matching import Matching
from compactlm.distillation.preparation import GENERAL, Prepared
from compactlm.distillation.runtime import prepare
from compactlm.distillation.task import TaskObjective, build_task_student
from compactlm.distillation.training import Examples, Settings, set_dropout, train
from compactlm.evaluation.quality import accuracy
from compactlm.params import Optimisation, Params
from compactlm.stages.run import run
from compactlm.student.building import build_config, check_budget, count_parameters
from compactlm.student.inheriting import initialise

CHECKPOINTS = artifacts.CHECKPOINTS / "distill-train"
SAMPLE_PIECES = 15_000  # of text on which inherited weights are fitted


class _Stage:
    """What the phases share: settings, rows, where checkpoints lie, and what is reported in the end."""

    def __init__(self, params: Params) -> None:
        self.params, self.prepared = params, Prepared(params)
        self.settings = Settings(params.seed, params.precision, params.distill.checkpoint_minutes)
        used = params.model_dump(mode="json", include={"seed", "threads", "precision", "tasks", "student", "signals", "distill"})
        del used["distill"]["checkpoint_minutes"]  # how often it is written does not change what it holds
        self.key = fingerprint(used, [artifacts.TOKENIZED, artifacts.WEIGHTED, artifacts.TEACHER])
        self.timings: dict[str, object] = {}
        self.metrics: dict[str, dict[str, float]] = {}

    def train(self, phase: str, objective: torch.nn.Module, examples: Examples, optimisation: Optimisation) -> None:
        drawing = curves(artifacts.CURVES / phase) if processes.is_main_process() else contextlib.nullcontext()
        with drawing as log:
            checkpoint = Checkpoint(CHECKPOINTS / phase, self.key)
            summary = train(phase, objective, examples, optimisation, self.settings, checkpoint, log)
        self.timings[phase] = summary.speed()
        self.metrics[phase] = dict(summary.history[-1][1])

    def sample(self, questions: object, lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the first rows of some text, as far as SAMPLE_PIECES reach."""
        rows, pieces = 0, 0
        while rows < len(lengths) and pieces < SAMPLE_PIECES:
            pieces += lengths[rows]
            rows += 1
        question = questions.question(range(rows))  # type: ignore[attr-defined]
        return question["input_ids"], question["attention_mask"]


def _general(stage: _Stage) -> tuple[BertForMaskedLM, torch.Tensor]:
    params, prepared = stage.params, stage.prepared
    teacher, _ = models.load_masked_lm(artifacts.TEACHER / artifacts.MLM)
    torch.manual_seed(params.seed)
    student = BertForMaskedLM(build_config(params.student, len(prepared.id_map)))
    check_budget(count_parameters(student), models.count_with_head(teacher), params.student.budget)
    questions = prepared.general()
    sample = stage.sample(questions, questions.lengths)
    layers = uniform_layers(params.student.layers, teacher.config.num_hidden_layers)
    components = initialise(student, teacher.cpu(), prepared.id_map, params.student.initialisation, *sample, layers)
    source = prepared.general_source(teacher.to(models.best_device()), questions)
    matching = Matching(student.bert, teacher.bert, source.layers, components, params.distill.general)
    objective = GeneralObjective(student, matching, params.distill.general, params.signals.general.temperature)
    set_dropout(student, params.distill.general.optimisation.dropout)
    examples = GeneralExamples(questions, source, params.signals.general.maskings)
    stage.train(GENERAL, objective, examples, params.distill.general.optimisation)
    matching.recorder.close()
    return student, components


def _task(stage: _Stage, name: str, general: BertForMaskedLM, components: torch.Tensor) -> BertForSequenceClassification:
    params, prepared = stage.params, stage.prepared
    distill, labels = params.distill.task, params.tasks[name].labels
    teacher = models.load_classifier(artifacts.TEACHER / name)
    weights = {row["id"]: row["weight"] for row in artifacts.read_table(artifacts.WEIGHTED).to_pylist()}
    rows = prepared.task(name, weights)
    questions = TaskQuestions(rows)
    student = build_task_student(general.cpu(), labels, stage.settings.seed)
    if distill.start == "teacher":
        sample = stage.sample(questions, questions.lengths)
        layers = uniform_layers(params.student.layers, teacher.config.num_hidden_layers)
        components = initialise(student, teacher.cpu(), prepared.id_map, params.student.initialisation, *sample, layers)
    source = prepared.task_source(name, teacher.to(models.best_device()), questions)
    matching = Matching(student.bert, teacher.bert, source.layers, components, distill)
    set_dropout(student, distill.optimisation.dropout)
    stage.train(name, TaskObjective(student, matching, distill), TaskExamples(rows, source), distill.optimisation)
    matching.recorder.close()
    held_out = [row for row in artifacts.read_table(artifacts.TOKENIZED / "validation").to_pylist() if row["task"] == name]
    logits = models.classify(student, [row["input_ids"] for row in held_out], params.batch_tokens, f"{name}, validation")
    expected = [labels.index(row["label"]) for row in held_out]
    stage.metrics[name]["validation_accuracy"] = accuracy(expected, logits.argmax(dim=1).tolist())
    return student


def _write(stage: _Stage, students: dict[str, BertForMaskedLM | BertForSequenceClassification], directory: Path) -> None:
    with artifacts.replacing(directory) as unfinished:
        for name, student in students.items():
            models.save(student, stage.prepared.tokenizer, unfinished / name)
    artifacts.write_json(artifacts.METRICS / "distill-train.json", stage.metrics)
    artifacts.write_json(artifacts.TIMINGS / "distill-train.json", stage.timings)
    shutil.rmtree(CHECKPOINTS, ignore_errors=True)


def main(params: Params) -> None:
    """Run the stage; under `accelerate launch` in every process."""
    prepare(params.threads, params.seed)
    stage = _Stage(params)
    general, components = _general(stage)
    students: dict[str, BertForMaskedLM | BertForSequenceClassification] = {artifacts.MLM: general}
    for name in params.tasks:
        students[name] = _task(stage, name, general, components)
    processes.on_main(_write, stage, students, artifacts.STUDENT)
    processes.leave()


if __name__ == "__main__":
    run("distill-train", main)

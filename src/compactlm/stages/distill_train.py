"""Distil the student: first on unlabelled text, then for each task."""

from __future__ import annotations

import shutil

import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm import artifacts
from compactlm.distillation import models
from compactlm.distillation.checkpoints import Checkpoint, fingerprint
from compactlm.distillation.curves import curves
from compactlm.distillation.general import GeneralObjective, build_projections
from compactlm.distillation.masking import MaskedSequences
from compactlm.distillation.rows import draw, task_rows
from compactlm.distillation.runtime import prepare
from compactlm.distillation.signals import MaskedSignals, collect_task_signals, uniform_layers
from compactlm.distillation.task import TaskObjective, TaskSequences, build_task_student
from compactlm.distillation.training import Settings, Summary, set_dropout, train
from compactlm.evaluation.quality import accuracy
from compactlm.params import Params
from compactlm.stages.run import run
from compactlm.student.building import build_config, build_student, check_budget, count_parameters

CHECKPOINTS = artifacts.CHECKPOINTS / "distill-train"


class _Stage:
    """What the phases share: settings, the tokenized rows, the student's tokenizer, and where checkpoints lie."""

    def __init__(self, params: Params) -> None:
        self.params = params
        self.settings = Settings(params.seed, params.precision, params.distill.checkpoint_minutes)
        self.tokenizer = models.load_tokenizer(artifacts.STUDENT_TOKENIZER)
        self.id_map = artifacts.read_json(artifacts.ID_MAP)
        self.train = artifacts.read_table(artifacts.TOKENIZED / "train").to_pylist()
        self.augmented = artifacts.read_table(artifacts.TOKENIZED / "augmented").to_pylist()
        used = params.model_dump(mode="json", include={"seed", "threads", "precision", "tasks", "student", "distill"})
        del used["distill"]["checkpoint_minutes"]  # how often it is written does not change what it holds
        self.key = fingerprint(used, [artifacts.TOKENIZED, artifacts.WEIGHTED, artifacts.TEACHER])
        self.timings: dict[str, object] = {}
        self.metrics: dict[str, dict[str, float]] = {}

    def checkpoint(self, phase: str) -> Checkpoint:
        return Checkpoint(CHECKPOINTS / phase, self.key)

    def note(self, phase: str, summary: Summary) -> None:
        self.timings[phase] = summary.speed()
        self.metrics[phase] = dict(summary.history[-1][1])

    def layers(self, teacher_layers: int) -> list[int]:
        return uniform_layers(self.params.student.layers, teacher_layers)


def _general(stage: _Stage) -> tuple[BertForMaskedLM, torch.nn.ModuleList]:
    params = stage.params.distill.general
    teacher, _ = models.load_masked_lm(artifacts.TEACHER / artifacts.MLM)
    config = build_config(stage.params.student, len(stage.id_map))
    student, components = build_student(config, teacher, stage.id_map, stage.settings.seed)
    check_budget(count_parameters(student), models.count_with_head(teacher), stage.params.student.budget)
    layers = stage.layers(teacher.config.num_hidden_layers)
    projections = build_projections(components, len(layers))
    set_dropout(student, params.optimisation.dropout)
    objective = GeneralObjective(student, MaskedSignals(teacher, stage.id_map, layers), projections, params)
    sequences = [row["input_ids"] for row in draw(stage.train, params.sequences, stage.settings.seed)]
    examples = MaskedSequences(sequences, stage.tokenizer, params.mask_rate, f"{stage.settings.seed}/general")
    with curves(artifacts.CURVES / "general") as log:
        summary = train("general", objective, examples, params.optimisation, stage.settings, stage.checkpoint("general"), log)
    stage.note("general", summary)
    return student, projections


def _task(stage: _Stage, name: str, general: BertForMaskedLM, projections: torch.nn.ModuleList) -> BertForSequenceClassification:
    params, labels = stage.params.distill.task, stage.params.tasks[name].labels
    teacher = models.load_classifier(artifacts.TEACHER / name)
    domain = [row for row in stage.train if row["source"] in params.unlabelled and row["task"] is None]
    weights = {row["id"]: row["weight"] for row in artifacts.read_table(artifacts.WEIGHTED).to_pylist()}
    unlabelled = draw(domain, params.unlabelled_sequences, stage.settings.seed)
    rows = task_rows(name, labels, [*stage.train, *stage.augmented], unlabelled, weights)
    layers = stage.layers(teacher.config.num_hidden_layers)[-params.hidden_layers :]
    signals = collect_task_signals(
        teacher, rows.sequences, stage.id_map, layers, stage.params.batch_tokens, f"{name}, the teacher's signals"
    )
    student = build_task_student(general, labels, stage.settings.seed)
    set_dropout(student, params.optimisation.dropout)
    objective = TaskObjective(student, projections[-params.hidden_layers :], params)
    examples = TaskSequences(rows.sequences, signals, rows.labels, rows.weights)
    with curves(artifacts.CURVES / name) as log:
        summary = train(name, objective, examples, params.optimisation, stage.settings, stage.checkpoint(name), log)
    stage.note(name, summary)
    held_out = [row for row in artifacts.read_table(artifacts.TOKENIZED / "validation").to_pylist() if row["task"] == name]
    logits = models.classify(student, [row["input_ids"] for row in held_out], stage.params.batch_tokens, f"{name}, validation")
    expected = [labels.index(row["label"]) for row in held_out]
    stage.metrics[name]["validation_accuracy"] = accuracy(expected, logits.argmax(dim=1).tolist())
    return student


def main(params: Params) -> None:
    """Run the stage."""
    prepare(params.threads, params.seed)
    stage = _Stage(params)
    with artifacts.replacing(artifacts.STUDENT) as unfinished:
        general, projections = _general(stage)
        models.save(general, stage.tokenizer, unfinished / artifacts.MLM)
        for name in params.tasks:
            student = _task(stage, name, general, projections)
            models.save(student, stage.tokenizer, unfinished / name)
    artifacts.write_json(artifacts.METRICS / "distill-train.json", stage.metrics)
    artifacts.write_json(artifacts.TIMINGS / "distill-train.json", stage.timings)
    shutil.rmtree(CHECKPOINTS, ignore_errors=True)


if __name__ == "__main__":
    run("distill-train", main)

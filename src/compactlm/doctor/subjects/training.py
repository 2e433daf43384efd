"""Faults of training: losses that did not fall, learning rates, frozen weights, and students that learned nothing."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import torch

from compactlm import artifacts
from compactlm.bert.task_models import load_task_model
from compactlm.distillation.inputs import GENERAL
from compactlm.doctor import metrics
from compactlm.doctor.chance import beats_chance, in_best_order, is_better
from compactlm.doctor.examined import Run, TaskRun, accuracy, named
from compactlm.doctor.findings import Fault, Finding, Unjudged

POINTS = 3  # fewest readings of a loss before it is judged
PART = 0.2  # of the readings, at either end, whose mean is compared
FELL = 0.98  # greatest share of the first loss that counts as a fall
ROSE = 1.1  # share of the lowest loss from which on training diverged at its end
MOVED = 1e-3  # relative change of weights below which training hardly moved them
TOO_FAR = 5.0  # relative change of weights that explains a student at chance
FROZEN = 1e-3  # change of a part of the model, as a share of the median part's, below which it is frozen


def check(run: Run) -> Iterator[Finding]:
    """Yield faults of the learning curves, of the weights, and of the student's accuracy."""
    moves = {name: _moves(run.task(name)) for name in run.tasks}
    for phase in (GENERAL, *run.tasks):
        moved = moves.get(phase)
        yield from _curve(run, phase, max(moved.values()) if moved else None)
    for name, moved in moves.items():
        yield from _frozen(name, moved)
        if run.task(name).can_be_judged:
            judge = _quality if run.task(name).has_one_label else _metric
            yield from judge(run.task(name), sorted(moved.values())[len(moved) // 2])


def read_losses(phase: str) -> list[float]:
    """Return the logged losses of a phase.

    Raises:
        FileNotFoundError: the phase has no learning curve.
    """
    path = artifacts.CURVES / phase / "plots" / "metrics" / "loss.tsv"
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file, delimiter="\t")]


def _curve(run: Run, phase: str, moved: float | None) -> Iterator[Finding]:
    losses = read_losses(phase)
    if len(losses) < POINTS:
        yield Unjudged(f"the learning curve of {phase} has only {len(losses)} readings, so it is not judged")
        return
    count = max(1, round(PART * len(losses)))
    first, last = sum(losses[:count]) / count, sum(losses[-count:]) / count
    section = "general" if phase == GENERAL else "task"
    rate = getattr(run.params.distill, section).optimisation.learning_rate
    key = f"distill.{section}.optimisation.learning_rate"
    if not math.isfinite(last) or last > ROSE * first:
        yield Fault("learning rate", f"the loss of {phase} rose from {first:.4g} to {last:.4g}; {key} ({rate:g}) is too high, lower it")
    elif last > FELL * first and moved is not None and moved < MOVED:
        yield Fault(
            "learning rate",
            f"the loss of {phase} did not fall ({first:.4g} to {last:.4g}), and no weight moved by more than {100 * moved:.2g} %; {key} "
            f"({rate:g}) is too low, raise it",
        )
    elif last > FELL * first:
        yield Fault(
            "loss did not fall",
            f"the loss of {phase} did not fall ({first:.4g} to {last:.4g}); check {key} ({rate:g}) and the weights of the losses under "
            f"distill.{section}",
        )


def _moves(task: TaskRun) -> dict[str, float]:
    """Return how much training changed each part of the student, relative to its first weights."""
    first = dict(task.first_model.named_parameters())
    last = load_task_model(artifacts.STUDENT / task.name).named_parameters()
    changes: dict[str, list[torch.Tensor]] = {}
    sizes: dict[str, list[torch.Tensor]] = {}
    for name, weights in last:
        part = _part(name)
        changes.setdefault(part, []).append((weights - first[name]).detach().float().square().sum())
        sizes.setdefault(part, []).append(first[name].detach().float().square().sum())
    return {part: math.sqrt(float(sum(changes[part])) / max(float(sum(sizes[part])), 1e-12)) for part in changes}


def _part(name: str) -> str:
    """Return the part of a BERT that a weight belongs to, such as embeddings, encoder.layer.2 or classifier."""
    pieces = name.removeprefix("bert.").split(".")
    return ".".join(pieces[:3]) if pieces[0] == "encoder" else pieces[0]


def _frozen(name: str, moved: dict[str, float]) -> Iterator[Finding]:
    median = sorted(moved.values())[len(moved) // 2]
    frozen = [part for part, change in moved.items() if change <= FROZEN * median]
    if frozen:
        yield Fault(
            "frozen weights",
            f"training did not change {len(frozen)} of {len(moved)} parts of the student of {name} ({named(frozen)}); check that all "
            "weights require gradients, and run `dvc repro --force distill-train`",
        )


def _quality(task: TaskRun, moved: float) -> Iterator[Finding]:
    labels, expected = len(task.labels), task.expected("validation")
    teacher, _ = in_best_order(expected, task.teacher, labels)
    student, _ = in_best_order(expected, task.student, labels)
    share = f"{100 * accuracy(expected, student):.1f} % of the validation rows"
    before = f"{100 * accuracy(expected, task.first):.1f} %"
    if beats_chance(expected, teacher) and not beats_chance(expected, student):
        yield _at_chance(task, moved, share)
    elif is_better(expected, task.first, student):
        yield _worse(task, f"is right for {share}, but for {before} before training")


def _metric(task: TaskRun, moved: float) -> Iterator[Finding]:
    if metrics.beats_chance(task, "teacher") and not metrics.beats_chance(task, "student"):
        yield _at_chance(task, moved, metrics.sentence(task, "student"))
    elif metrics.is_better(task, "first", "student"):
        yield _worse(task, f"has {metrics.sentence(task, 'student')}, and it was better before training")


def _at_chance(task: TaskRun, moved: float, measured: str) -> Fault:
    if moved > TOO_FAR:
        rate = task.run.params.distill.task.optimisation.learning_rate
        return Fault(
            "learning rate",
            f"the student of {task.name} is no better than chance ({measured}), and training changed its weights by {moved:.0f} times "
            f"their size; distill.task.optimisation.learning_rate ({rate:g}) is too high, lower it",
        )
    return Fault(
        "student at chance",
        f"the student of {task.name} is no better than chance ({measured}), though its teacher is; check learning_rate, epochs and the "
        "weights of the losses under distill.task",
    )


def _worse(task: TaskRun, measured: str) -> Fault:
    return Fault(
        "training made the student worse",
        f"the student of {task.name} {measured}; lower distill.task.optimisation.learning_rate",
    )

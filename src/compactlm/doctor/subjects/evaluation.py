"""Faults in the reading of answers: the order of labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from compactlm import artifacts
from compactlm.doctor.chance import in_best_order
from compactlm.doctor.examined import Run, TaskRun
from compactlm.doctor.findings import Fault, Finding

FAULT = "label order"


def check(run: Run) -> Iterator[Finding]:
    """Yield a fault for each model whose labels are in another order than the task's, by its configuration or its answers."""
    for name in run.tasks:
        for root in (artifacts.TEACHER, artifacts.STUDENT, artifacts.EXPORT):
            yield from _configured(root / name, run.task(name))
        if run.task(name).has_one_label:
            yield from _answered(run.task(name))


def _configured(directory: Path, task: TaskRun) -> Iterator[Finding]:
    labels = task.kind.names(task.task)
    if not labels or not (directory / "config.json").is_file():
        return
    named = artifacts.read_json(directory / "config.json").get("id2label", {})
    found = [str(named.get(str(at))) for at in range(len(named))]
    if found != labels:
        yield Fault(
            FAULT,
            f"{directory}/config.json has the labels {', '.join(found)}, but those of tasks.{task.name} in params.yaml are "
            f"{', '.join(labels)}; run `dvc repro`",
        )


def _answered(task: TaskRun) -> Iterator[Finding]:
    if not task.can_be_judged:
        return
    expected = task.expected("validation")
    for role in ("teacher", "student"):
        if in_best_order(expected, getattr(task, role), len(task.labels))[1]:
            yield Fault(
                FAULT,
                f"the {role} of {task.name} is right more often if its labels are exchanged; check that tasks.{task.name}.labels has the "
                "order with which it was trained",
            )

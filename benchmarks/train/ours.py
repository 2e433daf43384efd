"""Our training loop and objectives, as in the stages. A job can leave out one optimisation."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.train.arithmetic import Work
from benchmarks.train.clock import Clock, Stopwatch
from benchmarks.train.material import Material
from compactlm.bert import models
from compactlm.distillation.examples import GeneralExamples, TaskExamples
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.objectives import GeneralObjective, TaskObjective
from compactlm.distillation.signals.cache import CachedSignals, write_cache
from compactlm.distillation.signals.online import Batch
from compactlm.training.loop import Settings, set_dropout, train

EPOCHS = 300  # more than any machine finishes in time
PADDED = {"input_ids": 0, "attention_mask": 0, "labels": -100, "teacher_states": 0}


class _DenseHead(torch.nn.Module):
    """A head that scores every position and returns only the masked ones."""

    def __init__(self, student: Any) -> None:
        super().__init__()
        self.head = student.cls
        self.where = self.states = torch.empty(0)
        student.bert.register_forward_hook(self._keep)

    def _keep(self, _: Any, __: Any, output: Any) -> None:
        self.states = output.last_hidden_state

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.head(self.states)[self.where]


class _DenseObjective(GeneralObjective):
    """General distillation with logits at every position."""

    def __init__(self, student: Any, *rest: Any) -> None:
        student.cls = _DenseHead(student)
        super().__init__(student, *rest)

    def forward(self, **batch: torch.Tensor) -> Batch:
        self.student.cls.where = batch["labels"] >= 0
        return super().forward(**batch)


class _Examples:
    """Examples that report their batches to the clock. With `longest`, rows are padded to it and not grouped by length."""

    def __init__(self, examples: Any, clock: Clock, watch: Stopwatch, longest: int | None) -> None:
        self.examples, self.clock, self.watch, self.longest = examples, clock, watch, longest
        self.lengths: Sequence[int] = [longest] * len(examples.lengths) if longest else examples.lengths

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:
        self.watch.mark("the rest")
        batch: Batch = self.examples.batch(positions, epoch)
        if self.longest:
            missing = self.longest - batch["input_ids"].shape[1]
            for name, value in PADDED.items():
                if batch[name].ndim > 1:
                    around = [0, 0] * (batch[name].ndim - 2) + [0, missing]
                    batch[name] = torch.nn.functional.pad(batch[name], around, value=value)
        self.clock.supply(batch)
        self.watch.mark("loader, with signals")
        return batch


def write(material: Material) -> dict[str, float]:
    """Write the job's cache and return its seconds, tokens and gigabytes."""
    job, inputs, teacher = material.job, material.inputs, material.teacher()
    tokenized: Any = inputs.general() if job.phase == "general" else material.task_rows()
    source = inputs.online_general(teacher) if job.phase == "general" else inputs.online_task(teacher)
    directory, start = Path(job.directory) / job.cache, time.perf_counter()
    write_cache(directory, tokenized, source, material.params.batch_tokens, job.title)
    seconds = time.perf_counter() - start
    size = sum(file.stat().st_size for file in directory.iterdir())
    return {"seconds": seconds, "tokens": sum(tokenized.lengths), "gigabytes": size / 1e9}


def measure(material: Material, clock: Clock) -> tuple[Work, dict[str, Any]]:
    """Train until the clock stops; return the arithmetic of a step, and other figures."""
    job, params, inputs, losses = material.job, material.params, material.inputs, material.losses
    # The teacher is loaded with a cache too, because distill-train needs it for the student's first weights.
    teacher, student = material.teacher(), material.student().to(models.best_device())
    rows = material.task_rows() if job.phase == "task" else None
    tokenized: Any = rows or inputs.general()
    start = time.perf_counter()
    if job.kind == "cached":
        source: Any = CachedSignals(Path(job.directory) / job.cache, tokenized)
    else:
        source = inputs.online_task(teacher) if rows else inputs.online_general(teacher)
    opened = time.perf_counter() - start
    components = torch.nn.init.orthogonal_(torch.empty(student.config.hidden_size, teacher.config.hidden_size))
    layer_losses = LayerLosses(student.bert, teacher.bert, source.layers, components, losses)
    set_dropout(student, 0.1 if job.part == "dropout" else losses.optimisation.dropout)
    examples: Any = TaskExamples(rows, source) if rows else GeneralExamples(tokenized, source, params.signals.general.maskings)
    objective: torch.nn.Module = (
        TaskObjective(student, layer_losses, params.distill.task, rows.losses) if rows else _general(material, student, layer_losses)
    )
    optimisation = losses.optimisation.model_copy(update={"epochs": EPOCHS})
    longest = max(examples.lengths) if job.part == "padding" else None
    if longest:  # batches have the same number of real tokens and therefore more positions
        optimisation = optimisation.model_copy(update={"batch_tokens": longest * material.rows_a_batch(list(examples.lengths))})
    watch = Stopwatch()
    clock.on_start = watch.clear
    if job.profile:
        watch.watch(objective)
    settings = Settings(params.seed, "bf16" if job.part == "bf16" else params.precision)
    supplied = _Examples(examples, clock, watch, longest)
    clock.run(lambda: train(job.phase, objective, supplied, optimisation, settings))
    scored = "none" if rows else "all" if job.part == "dense" else "masked"
    work = material.work(student, teacher, len(layer_losses.pairs.get("hidden", [])), scored, cached=job.kind == "cached")
    found: dict[str, Any] = {"opened": opened, "epoch_tokens": sum(examples.lengths), "epochs": losses.optimisation.epochs}
    return work, {**found, "parts": watch.parts} if job.profile else found


def _general(material: Material, student: Any, layer_losses: LayerLosses) -> GeneralObjective:
    kind = _DenseObjective if material.job.part == "dense" else GeneralObjective
    return kind(student, layer_losses, material.params.distill.general, material.temperature)

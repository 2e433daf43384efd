"""Fine-tune a copy of the student for a task of any kind on a user's rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.batches import make_batches
from compactlm.bert.folding import fold_thresholds
from compactlm.bert.runtime import prepare
from compactlm.bert.task_models import head_of, run_rows
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Figure
from compactlm.inference.arguments import check_number, check_seed, check_whole
from compactlm.inference.finetuning.early_stopping import BATCH_TOKENS, fit_objective
from compactlm.inference.finetuning.rows import TaskRows, hold_out
from compactlm.inference.finetuning.user_task import check_output, load_student
from compactlm.student.building import build_task_model
from compactlm.tasks import kind_of
from compactlm.tasks.base import Array, Example, Row, Task
from compactlm.tasks.segmenting import LibrarySegmenter
from compactlm.teacher.training import LabelledExamples, LabelledObjective
from compactlm.training.task_losses import TaskLosses

FEWEST_SEQUENCES = 8  # of the greatest length in a batch
RESAMPLES = 1000
Say = Callable[[str], object]


@dataclasses.dataclass(frozen=True)
class FineTunedTask:
    """The result of fine-tuning for a task of any kind.

    Attributes:
        kind: the kind of task.
        labels: the labels of the model; empty for kinds without labels.
        rows: the number of rows that the model was trained on.
        validation_rows: the number of held-out rows, on which epoch and thresholds were chosen and the metric was measured.
        epochs: the epochs of training, up to the saved weights; 0 if no epoch was better than the first weights.
        metric: the main metric of the kind.
        value: the metric on the held-out rows; None if it is not defined, such as the correlation of equal scores.
        low, high: its 95 % bootstrap interval, over groups of rows that share a text; None without an interval.
        chance: the metric of the best constant answer.
    """

    kind: str
    labels: list[str]
    rows: int
    validation_rows: int
    epochs: int
    metric: str
    value: float | None
    low: float | None
    high: float | None
    chance: float


def finetune_task(
    student: Path,
    found: TaskRows,
    output: Path,
    *,
    epochs: int = 20,
    learning_rate: float = 5e-4,
    seed: int = 0,
    threads: int = 0,
    say: Say = str,
) -> FineTunedTask:
    """Train a copy of the student with a new head on labelled rows, and save it.

    Args:
        student: the directory of the sentence encoder or of the masked language model; only its body is used.
        found: the labelled rows.
        output: where the model is saved, as a plain directory of transformers.
        epochs: maximum number of epochs; the weights with the lowest held-out loss are kept.
        learning_rate: the peak learning rate.
        seed: the seed of the held-out rows, the head and the order of the rows.
        threads: CPU threads; 0 uses all cores.
        say: called with a sentence after each epoch.

    Raises:
        CompactLMError: `output` has files of another kind, the student cannot be used, or too few rows can be held out.
    """
    check_seed(seed)
    check_whole("epochs", epochs, 1)
    check_number("learning_rate", learning_rate, 0)
    check_whole("threads", threads, 0)
    check_output(output, [student])
    prepare(threads or torch.get_num_threads(), seed)
    task, kind, rows = found.task, kind_of(found.task), found.rows
    learnt_rows, held_out, groups = hold_out(found, seed)
    base, tokenizer = load_student(student).cpu(), models.load_tokenizer(student)
    model = build_task_model(base, task, seed).to(models.best_device())
    length = model.config.max_position_embeddings
    encoded = kind.encode(LibrarySegmenter(tokenizer.backend_tokenizer), rows, task, length, places=True)
    learnt, held = ([one for row in part for one in kind.trained(encoded[row], rows[row])] for part in (learnt_rows, held_out))
    losses = TaskLosses(kind, task, [one.target for one in learnt])
    kept = _fit(model, losses, learnt, held, (epochs, learning_rate, seed), say)
    losses.fold(head_of(model))
    tested = [rows[row] for row in held_out]
    figure = _measure(model, task, [encoded[row] for row in held_out], tested, [groups[row] for row in held_out], seed)
    model.config.labelled_rows = len(learnt_rows)
    with artifacts.replacing(output) as unfinished:
        models.save(model.cpu(), tokenizer, unfinished)
    return FineTunedTask(
        kind=task.kind,
        labels=kind.names(task) if task.labels else [],
        rows=len(learnt_rows),
        validation_rows=len(held_out),
        epochs=kept,
        metric=task.metric,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        chance=float(kind.chance(tested, task, np.ones((1, len(tested))))[0]),
    )


def _fit(model: Any, losses: TaskLosses, learnt: Sequence[Example], held: Sequence[Example], how: tuple[int, float, int], say: Say) -> int:
    """Train a model and return the epoch of the kept weights; see `fit_objective`."""
    rows, held_out = (LabelledExamples(part, losses, model.config.pad_token_id) for part in (learnt, held))
    objective = LabelledObjective(model, losses)
    batch_tokens = max(BATCH_TOKENS, FEWEST_SEQUENCES * max(rows.lengths))

    def measure() -> tuple[float, str]:
        loss = _loss(objective, held_out, batch_tokens)
        return loss, f"validation loss {loss:.3f}"

    return fit_objective(model, objective, rows, measure, *how, say, batch_tokens)


def _loss(objective: LabelledObjective, rows: LabelledExamples, batch_tokens: int) -> float:
    """Return the mean loss of held-out sequences."""
    objective.eval()
    total, device = 0.0, objective.model.device
    for positions in make_batches(rows.lengths, batch_tokens, None):
        with torch.inference_mode():
            batch = {name: tensor.to(device) for name, tensor in rows.batch(positions, 0).items()}
            total += len(positions) * float(objective(**batch)["loss"])
    return total / len(rows.lengths)


def _measure(model: Any, task: Task, encoded: Sequence[Sequence[Example]], rows: Sequence[Row], groups: Sequence[str], seed: int) -> Figure:
    """Choose thresholds on held-out rows, fold them into the model, and measure the metric."""
    kind = kind_of(task)

    def outputs() -> list[list[Array]]:
        return run_rows(model, encoded, 8 * BATCH_TOKENS, "validation", progress=False)

    finished = kind.finish(outputs(), encoded, rows, task)
    if finished.thresholds is not None:
        fold_thresholds(model, finished.thresholds)
    model.config.update(dict(finished.config))
    settings = model.config.to_dict()
    answers = kind.answers(outputs(), encoded, rows, task, settings)
    value = kind.measure(answers, rows, task, np.ones((1, len(rows))), settings)[task.metric]
    names, places = np.unique(np.asarray(groups), return_inverse=True)
    resampler = Resampler(RESAMPLES, seed)
    drawn = resampler.draw(np.ones(len(names)))
    resampled = [kind.measure(answers, rows, task, counts[:, places], settings)[task.metric] for counts in drawn]
    return resampler.figure(float(value[0]), np.concatenate(resampled), rows=len(rows))

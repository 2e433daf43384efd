"""A task of one's own on the finished student: fine-tuned on labelled rows, with a teacher if there is one."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import BertForSequenceClassification

from compactlm import artifacts
from compactlm.distillation import models
from compactlm.distillation.batches import make_batches, pad
from compactlm.distillation.losses.hard_labels import hard_labels
from compactlm.distillation.losses.soft_targets import soft_targets
from compactlm.distillation.runtime import prepare
from compactlm.distillation.task import build_task_student
from compactlm.distillation.teacher import build_classifier
from compactlm.distillation.thresholds import best_threshold
from compactlm.distillation.training import set_dropout
from compactlm.errors import CompactLMError
from compactlm.inference.labelled import Labelled, split
from compactlm.student.tokenization import encode

BATCH_PIECES = 512
PATIENCE = 4  # epochs without a lower loss of validation
TEMPERATURE = 2.0
TEACHER_RATE = 5e-5
FEWEST_POSITIONS = 16  # of a teacher; of longer texts it reads the start


@dataclasses.dataclass(frozen=True)
class FineTuned:
    """What came of fine-tuning.

    Attributes:
        labels: of the task.
        rows: labelled rows that it has learnt from.
        validation_rows: rows held out, on which it was stopped and measured.
        epochs: until the weights that were kept.
        accuracy: on the validation rows, 0 to 1.
        majority: what always giving the most frequent label would reach there.
        threshold: the decision threshold written into config.json, or None.
        teacher_accuracy: the teacher's on the same rows, or None without one.
    """

    labels: list[str]
    rows: int
    validation_rows: int
    epochs: int
    accuracy: float
    majority: float
    threshold: float | None
    teacher_accuracy: float | None


@dataclasses.dataclass(frozen=True)
class _Rows:
    sequences: list[list[int]]
    targets: torch.Tensor  # label ids, int64 [rows]
    teacher: torch.Tensor | None = None  # logits, float [rows, labels]

    def take(self, rows: Sequence[int]) -> _Rows:
        chosen = list(rows)
        return _Rows([self.sequences[row] for row in chosen], self.targets[chosen], None if self.teacher is None else self.teacher[chosen])


def finetune(
    student: Path,
    data: Labelled,
    output: Path,
    teacher: Path | None = None,
    *,
    epochs: int = 20,
    learning_rate: float = 5e-4,
    maximum_length: int = 128,
    seed: int = 0,
    threads: int = 0,
    say: Callable[[str], object] = str,
) -> FineTuned:
    """Fine-tune a copy of the student's masked language model on labelled rows, and save it.

    Args:
        student: the directory of the masked language model.
        data: the rows.
        output: where the classifier is saved, a plain BertForSequenceClassification directory.
        teacher: a larger BERT's directory; it is fine-tuned first, unless it is a classifier of these labels, and the
            student learns from its answers too.
        epochs: the most passes over the rows; the weights of the lowest validation loss are kept.
        learning_rate: of the student.
        maximum_length: pieces of a text that are learnt from.
        seed: of the split, of the head and of the order.
        threads: of the CPU; 0 for as many as there are cores.
        say: is told of each epoch in a sentence.

    Raises:
        CompactLMError: something else than a model lies at `output`, or the teacher cannot be used.
    """
    if output.exists() and not (output / "config.json").is_file():
        raise CompactLMError(f"{output} exists and is no model; name a directory of its own with --output")
    prepare(threads or torch.get_num_threads(), seed)
    names = data.names
    targets = torch.tensor([names.index(label) for label in data.labels])
    train, held_out = split(data.labels, seed)
    answers = None
    if teacher is not None:
        answers = _teach(teacher, data, names, targets, train, held_out, maximum_length, seed, say)
    base, _ = models.load_masked_lm(student)
    tokenizer = models.load_tokenizer(student)
    model = build_task_student(base.cpu(), names, seed).to(models.best_device())
    rows = _Rows(encode(tokenizer, data.texts, min(maximum_length, base.config.max_position_embeddings)), targets, answers)
    kept = _fit(model, rows.take(train), rows.take(held_out), epochs, learning_rate, seed, say)
    logits = _logits(model, rows.take(held_out))
    expected = targets[held_out]
    threshold = best_threshold(logits.softmax(dim=1)[:, 1].numpy(), expected.numpy()) if len(names) == 2 else None
    predicted = logits.argmax(dim=1) if threshold is None else (logits.softmax(dim=1)[:, 1] >= threshold).long()
    model.config.decision_threshold = threshold
    model.config.labelled_rows = len(train)
    with artifacts.replacing(output) as unfinished:
        models.save(model.cpu(), tokenizer, unfinished)
    return FineTuned(
        labels=names,
        rows=len(train),
        validation_rows=len(held_out),
        epochs=kept,
        accuracy=_share(predicted, expected),
        majority=float(torch.bincount(expected).max()) / len(expected),
        threshold=threshold,
        teacher_accuracy=None if answers is None else _share(answers[held_out].argmax(dim=1), expected),
    )


def _share(predicted: torch.Tensor, expected: torch.Tensor) -> float:
    return float((predicted == expected).float().mean())


def _teach(
    directory: Path,
    data: Labelled,
    names: list[str],
    targets: torch.Tensor,
    train: list[int],
    held_out: list[int],
    maximum_length: int,
    seed: int,
    say: Callable[[str], object],
) -> torch.Tensor:
    """Return a teacher's logits of all rows, float32 [rows, labels]."""
    models.check_teacher(directory, FEWEST_POSITIONS)
    tokenizer = models.load_tokenizer(directory)
    ready = models.load_classifier(directory)
    rows = _Rows(encode(tokenizer, data.texts, min(maximum_length, ready.config.max_position_embeddings)), targets)
    if [ready.config.id2label.get(index) for index in range(len(ready.config.id2label))] == names:
        model = ready
    else:
        model = build_classifier(directory, names, seed).to(models.best_device())
        _fit(model, rows.take(train), rows.take(held_out), 5, TEACHER_RATE, seed, lambda sentence: say(f"teacher, {sentence}"))
    return _logits(model, rows)


def _logits(model: BertForSequenceClassification, rows: _Rows) -> torch.Tensor:
    model.eval()
    logits = torch.zeros(len(rows.sequences), model.config.num_labels)
    for positions in make_batches([len(sequence) for sequence in rows.sequences], 8 * BATCH_PIECES, None):
        input_ids, attention_mask = pad([rows.sequences[position] for position in positions])
        with torch.inference_mode():
            logits[positions] = model(input_ids.to(model.device), attention_mask=attention_mask.to(model.device)).logits.float().cpu()
    return logits


def _loss(logits: torch.Tensor, rows: _Rows) -> torch.Tensor:
    loss = hard_labels(logits, rows.targets.to(logits.device))
    if rows.teacher is not None:
        loss = loss + soft_targets(logits, rows.teacher.to(logits.device), TEMPERATURE)
    return loss


def _fit(
    model: BertForSequenceClassification, train: _Rows, held_out: _Rows, epochs: int, rate: float, seed: int, say: Callable[[str], object]
) -> int:
    """Train until the validation loss stops falling, leave the weights of its lowest point, and return the epoch of these."""
    set_dropout(model, 0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    lengths = [len(sequence) for sequence in train.sequences]
    steps = epochs * len(make_batches(lengths, BATCH_PIECES, None))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps + 1, pct_start=0.05, anneal_strategy="linear")
    best, kept, weights = math.inf, 0, _copy(model)
    for epoch in range(1, epochs + 1):
        model.train()
        for positions in make_batches(lengths, BATCH_PIECES, f"{seed}/finetune/{epoch}"):
            rows = train.take(positions)
            input_ids, attention_mask = pad(rows.sequences)
            loss = _loss(model(input_ids.to(model.device), attention_mask=attention_mask.to(model.device)).logits, rows)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        logits = _logits(model, held_out)
        found = float(_loss(logits, held_out))
        say(f"epoch {epoch}: validation loss {found:.3f}, accuracy {_share(logits.argmax(dim=1), held_out.targets):.1%}")
        if found < best:
            best, kept, weights = found, epoch, _copy(model)
        elif epoch - kept >= PATIENCE:
            break
    model.load_state_dict(weights)
    return kept


def _copy(model: torch.nn.Module) -> dict[str, Any]:
    return copy.deepcopy(model.state_dict())

"""A task of one's own on the finished student, from labelled rows, with a teacher if there is one.

Logistic regression over the student's hidden states comes first. The whole student is trained as well, and takes its place where the rows
held out show that it is better: with few rows it seldom is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.bert.tokenization import encode
from compactlm.errors import CompactLMError
from compactlm.inference.finetuning.early_stopping import Rows, fit, logits_of, share
from compactlm.inference.finetuning.labelled import Labelled, split
from compactlm.inference.finetuning.probing import averaged_states, build_probe, fit_probe
from compactlm.inference.seeds import check_seed
from compactlm.teacher.checks import check_teacher
from compactlm.teacher.training import build_classifier
from compactlm.training.thresholds import best_threshold

MODEL_FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}  # what is saved
TEACHER_RATE = 5e-5
FEWEST_POSITIONS = 16  # of a teacher; of longer texts it reads the start
STANDARD_ERRORS = 2.0  # by which training the whole student must lower the loss of the rows held out


@dataclasses.dataclass(frozen=True)
class FineTuned:
    """What came of fine-tuning.

    Attributes:
        labels: of the task.
        rows: labelled rows that it has learnt from.
        validation_rows: rows held out, on which it was chosen and measured. What was chosen without training has learnt from them
            afterwards.
        epochs: of training the whole student, until the weights that were kept; 0 where logistic regression was as good.
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
    """Make a classifier of a copy of the student's masked language model and of labelled rows, and save it.

    Args:
        student: the directory of the masked language model.
        data: the rows.
        output: where the classifier is saved, a plain BertForSequenceClassification directory.
        teacher: a larger BERT's directory; it is fine-tuned first, unless it is a classifier of these labels, and the
            student learns from its answers too.
        epochs: the most passes over the rows in training the whole; the weights of the lowest validation loss are kept.
        learning_rate: of training the whole.
        maximum_length: pieces of a text that are learnt from.
        seed: of the split, of the head and of the order.
        threads: of the CPU; 0 for as many as there are cores.
        say: is told of each epoch in a sentence.

    Raises:
        CompactLMError: something else than a model lies at `output`, or the student or the teacher cannot be used.
    """
    check_seed(seed)
    _check_output(output, [student, *([] if teacher is None else [teacher])])
    prepare(threads or torch.get_num_threads(), seed)
    names = data.names
    targets = torch.tensor([names.index(label) for label in data.labels])
    train, held_out = split(data.labels, seed)
    answers = None
    if teacher is not None:
        answers = _teach(teacher, data, names, targets, train, held_out, maximum_length, seed, say)
    base = _load(student)
    tokenizer = models.load_tokenizer(student)
    rows = Rows(encode(tokenizer, data.texts, min(maximum_length, base.config.max_position_embeddings)), targets, answers)
    tried = _try(base.cpu(), names, rows, train, held_out, epochs, learning_rate, seed, say)
    expected = targets[held_out]
    logits = tried.logits
    # What has learnt from all rows since is not the model whose answers on some of them are at hand.
    tuned = len(names) == 2 and tried.rows == len(train)
    threshold = best_threshold(logits.softmax(dim=1)[:, 1].numpy(), expected.numpy()) if tuned else None
    predicted = logits.argmax(dim=1) if threshold is None else (logits.softmax(dim=1)[:, 1] >= threshold).long()
    model = tried.model
    model.config.decision_threshold = threshold
    model.config.labelled_rows = tried.rows
    with artifacts.replacing(output) as unfinished:
        models.save(model.cpu(), tokenizer, unfinished)
    return FineTuned(
        labels=names,
        rows=tried.rows,
        validation_rows=len(held_out),
        epochs=tried.epochs,
        accuracy=share(predicted, expected),
        majority=float(torch.bincount(expected).max()) / len(expected),
        threshold=threshold,
        teacher_accuracy=None if answers is None else share(answers[held_out].argmax(dim=1), expected),
    )


def _check_output(output: Path, used: list[Path]) -> None:
    """Raise CompactLMError where saving, which replaces the directory, would remove something else than an earlier model."""
    if output.resolve() in [path.resolve() for path in used]:
        raise CompactLMError(f"{output} is the model that is learnt from; name a directory of its own with --output")
    if not output.name:
        raise CompactLMError(f"{output}/ has no name of its own to save a model under; name another directory with --output")
    if output.exists() and not (output.is_dir() and {path.name for path in output.iterdir()} <= MODEL_FILES):
        raise CompactLMError(f"{output} exists and holds something else than a model; name a directory of its own with --output")


def _load(student: Path) -> BertForMaskedLM:
    try:
        return models.load_masked_lm(student)[0]
    except CompactLMError:
        raise
    except Exception as error:  # noqa: BLE001 - safetensors raises its own type, outside any hierarchy
        reason = " ".join(str(error).split())[:120]
        raise CompactLMError(f"{student} cannot be read ({reason}); restore it with `dvc checkout`, or copy the model again") from None


@dataclasses.dataclass(frozen=True)
class _Tried:
    model: BertForSequenceClassification
    logits: torch.Tensor  # of the rows held out, before the model has learnt from them
    epochs: int
    rows: int


def _try(
    base: BertForMaskedLM,
    names: list[str],
    rows: Rows,
    train: list[int],
    held_out: list[int],
    epochs: int,
    rate: float,
    seed: int,
    say: Callable[[str], object],
) -> _Tried:
    """Return the probe, or the whole student trained from a probe of its full depth, whichever the rows held out speak for."""
    states, held = averaged_states(base, rows.sequences), rows.take(held_out)
    depths, device = range(len(states)), models.best_device()
    probe = fit_probe(states[:, train], rows.targets[train], depths)
    linear = logits_of(build_probe(base, names, probe, seed).to(device), held)
    right = share(linear.argmax(dim=1), held.targets)
    say(f"logistic regression over {probe.depth} of {base.config.num_hidden_layers} layers: validation accuracy {right:.1%}")
    model = build_probe(base, names, fit_probe(states[:, train], rows.targets[train], depths[-1:]), seed).to(device)
    kept = fit(model, rows.take(train), held, epochs, rate, seed, say)
    trained = logits_of(model, held)
    if _clearly_better(trained, linear, held.targets):
        return _Tried(model, trained, kept, len(train))
    everything = fit_probe(states, rows.targets, depths)
    return _Tried(build_probe(base, names, everything, seed), linear, 0, len(rows.sequences))


def _clearly_better(logits: torch.Tensor, others: torch.Tensor, targets: torch.Tensor) -> bool:
    """Return whether the loss is lower than that of others by more than chance between the rows explains."""
    gains = cross_entropy(others, targets, reduction="none") - cross_entropy(logits, targets, reduction="none")
    return float(gains.mean()) > STANDARD_ERRORS * float(gains.std()) / len(gains) ** 0.5


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
    for name in ("config.json", "model.safetensors"):
        if not (directory / name).is_file():
            raise CompactLMError(f"the teacher's directory {directory} has no {name}; name the directory of a BERT with --teacher")
    check_teacher(directory, FEWEST_POSITIONS)
    tokenizer = models.load_tokenizer(directory)
    ready = models.load_classifier(directory)
    rows = Rows(encode(tokenizer, data.texts, min(maximum_length, ready.config.max_position_embeddings)), targets)
    if [ready.config.id2label.get(index) for index in range(len(ready.config.id2label))] == names:
        model = ready
    else:
        model = build_classifier(directory, names, seed).to(models.best_device())
        fit(model, rows.take(train), rows.take(held_out), 5, TEACHER_RATE, seed, lambda sentence: say(f"teacher, {sentence}"))
    return logits_of(model, rows)

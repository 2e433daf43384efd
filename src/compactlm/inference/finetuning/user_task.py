"""Fine-tune a copy of the student on a user's labelled rows, optionally with a teacher.

Logistic regression on the student's hidden states is fitted first. Then the whole student is trained. It is chosen only if it is clearly
better on held-out rows, which is rare with few rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import BertForSequenceClassification, BertModel

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.folding import fold_threshold
from compactlm.bert.runtime import prepare
from compactlm.bert.tokenization import encode
from compactlm.errors import CompactLMError
from compactlm.inference.arguments import check_number, check_seed, check_whole
from compactlm.inference.finetuning.early_stopping import Rows, fit, logits_of, share
from compactlm.inference.finetuning.labelled import Labelled, split
from compactlm.inference.finetuning.probing import averaged_states, build_probe, fit_probe
from compactlm.inference.runtime.runner import short_reason
from compactlm.tasks.thresholds import best_threshold
from compactlm.teacher.checks import check_teacher
from compactlm.teacher.training import build_classifier

MODEL_FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}  # the files that are saved
TEACHER_EPOCHS, TEACHER_RATE = 5, 5e-5
FEWEST_POSITIONS = 16  # the fewest positions of a teacher; longer texts are truncated
STANDARD_ERRORS = 2.0  # the reduction of the held-out loss that makes training the whole student worthwhile
Say = Callable[[str], object]


@dataclasses.dataclass(frozen=True)
class FineTuned:
    """The result of fine-tuning.

    Attributes:
        labels: the labels of the task.
        rows: the number of labelled rows that the saved model was trained on.
        validation_rows: the number of held-out rows, on which the model was chosen and measured. If logistic regression was chosen, it was
            fitted again afterwards with these rows.
        epochs: the epochs of training of the whole student until the saved weights; 0 if logistic regression was chosen.
        accuracy: the accuracy on the held-out rows, 0 to 1.
        majority: the accuracy of always predicting the most frequent label.
        threshold: the decision threshold that is folded into the head, or None.
        teacher_accuracy: the accuracy of the teacher on the held-out rows, or None without a teacher.
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
class _Job:
    """The data that every step of a fine-tuning run needs."""

    data: Labelled
    targets: torch.Tensor  # label ids, int64 [rows]
    train: list[int]
    held_out: list[int]
    maximum_length: int | None
    seed: int
    say: Say

    def rows(self, model: BertModel | BertForSequenceClassification, directory: Path, teacher: torch.Tensor | None = None) -> Rows:
        """Tokenize the texts for a model, with the logits of a teacher if there is one."""
        longest = model.config.max_position_embeddings
        if self.maximum_length is not None:
            longest = min(self.maximum_length, longest)
        tokenizer, texts = models.load_tokenizer(directory), self.data.texts
        sequences = encode(tokenizer, texts, longest)
        whole = [text for text, tokens in zip(texts, sequences, strict=True) if len(tokens) == longest]
        longer = sum(len(tokens) > longest for tokens in encode(tokenizer, whole, longest + 1)) if whole else 0
        if longer:
            self.say(f"{longer:,} of {len(texts):,} texts have more than {longest:,} tokens; {directory} learns from their beginning")
        return Rows(sequences, self.targets, teacher)


@dataclasses.dataclass(frozen=True)
class _Candidate:
    model: BertForSequenceClassification
    logits: torch.Tensor  # the logits of the held-out rows, before the model has learnt from them
    epochs: int
    rows: int


def finetune(
    student: Path,
    data: Labelled,
    output: Path,
    teacher: Path | None = None,
    *,
    epochs: int = 20,
    learning_rate: float = 5e-4,
    maximum_length: int | None = None,
    seed: int = 0,
    threads: int = 0,
    say: Say = str,
) -> FineTuned:
    """Train a classifier from a copy of the student on labelled rows, and save it.

    Args:
        student: the directory of the sentence encoder or of the masked language model; only its body is used.
        data: the labelled rows.
        output: where the classifier is saved, as a plain BertForSequenceClassification directory.
        teacher: the directory of a larger BERT. It is fine-tuned first, unless it is a classifier of the same labels; the student also
            learns from its logits.
        epochs: maximum number of epochs of training the whole student; the weights with the lowest validation loss are kept.
        learning_rate: the learning rate for training the whole student.
        maximum_length: maximum number of tokens of a text; None takes as many as the model has positions, as `classify` does.
        seed: the seed of the split, the head and the order of the rows.
        threads: CPU threads; 0 uses all cores.
        say: called with a sentence after each epoch.

    Raises:
        CompactLMError: `output` has files of another kind, or the student or the teacher cannot be used.
    """
    check_seed(seed)
    check_whole("epochs", epochs, 1)
    check_number("learning_rate", learning_rate, 0)
    check_whole("threads", threads, 0)
    check_output(output, [student, *([] if teacher is None else [teacher])])
    prepare(threads or torch.get_num_threads(), seed)
    names = data.names
    targets = torch.tensor([names.index(label) for label in data.labels])
    job = _Job(data, targets, *split(data.labels, seed, data.texts), maximum_length, seed, say)
    answers = None if teacher is None else _teach(teacher, job)
    base = load_student(student)
    chosen = _choose(base.cpu(), job, job.rows(base, student, answers), epochs, learning_rate)
    expected, probabilities = targets[job.held_out], chosen.logits.softmax(dim=1)
    # A refitted model is not the one whose held-out logits are known, so no threshold can be tuned for it.
    tunable = len(names) == 2 and chosen.rows == len(job.train)
    threshold = best_threshold(probabilities[:, 1].numpy(), expected.numpy()) if tunable else None
    predicted = chosen.logits.argmax(dim=1) if threshold is None else (probabilities[:, 1] >= threshold).long()
    fold_threshold(chosen.model, threshold)
    chosen.model.config.labelled_rows = chosen.rows
    with artifacts.replacing(output) as unfinished:
        models.save(chosen.model.cpu(), models.load_tokenizer(student), unfinished)
    return FineTuned(
        labels=names,
        rows=chosen.rows,
        validation_rows=len(expected),
        epochs=chosen.epochs,
        accuracy=share(predicted, expected),
        majority=float(torch.bincount(expected).max()) / len(expected),
        threshold=threshold,
        teacher_accuracy=None if answers is None else share(answers[job.held_out].argmax(dim=1), expected),
    )


def check_output(output: Path, used: list[Path]) -> None:
    """Raise CompactLMError if replacing the directory would remove anything but an earlier model."""
    if output.resolve() in [path.resolve() for path in used]:
        raise CompactLMError(f"{output} is the model to learn from; pass another directory with --output")
    if not output.name:
        raise CompactLMError(f"{output}/ has no name under which a model can be saved; pass another directory with --output")
    if output.exists() and not (output.is_dir() and {path.name for path in output.iterdir()} <= MODEL_FILES):
        raise CompactLMError(f"{output} has files that are not part of a model; pass another directory with --output")


def load_student(student: Path) -> BertModel:
    """Return the body of a student; raise CompactLMError if its files are missing or damaged."""
    try:
        return models.load_body(student)
    except CompactLMError:
        raise
    except Exception as error:  # noqa: BLE001 - safetensors raises its own type, outside any hierarchy
        raise CompactLMError(
            f"{student} cannot be read ({short_reason(error)}); restore it with `dvc checkout`, or copy the model again"
        ) from None


def _choose(base: BertModel, job: _Job, rows: Rows, epochs: int, rate: float) -> _Candidate:
    """Return the probe or, if it is clearly better on held-out rows, the whole student, trained from the probe of full depth."""
    names, train, held_out = job.data.names, job.train, rows.take(job.held_out)
    states = averaged_states(base, rows.sequences)
    depths, device = range(len(states)), models.best_device()
    probe = fit_probe(states[:, train], rows.targets[train], depths)
    linear = logits_of(build_probe(base, names, probe, job.seed).to(device), held_out)
    accuracy = share(linear.argmax(dim=1), held_out.targets)
    job.say(f"logistic regression over {probe.depth} of {base.config.num_hidden_layers} layers: validation accuracy {accuracy:.1%}")
    model = build_probe(base, names, fit_probe(states[:, train], rows.targets[train], depths[-1:]), job.seed).to(device)
    kept = fit(model, rows.take(train), held_out, epochs, rate, job.seed, job.say)
    trained = logits_of(model, held_out)
    if _clearly_better(trained, linear, held_out.targets):
        return _Candidate(model, trained, kept, len(train))
    refitted = fit_probe(states, rows.targets, depths)
    return _Candidate(build_probe(base, names, refitted, job.seed), linear, 0, len(rows.sequences))


def _clearly_better(logits: torch.Tensor, others: torch.Tensor, targets: torch.Tensor) -> bool:
    """Return whether the mean loss is lower by more than STANDARD_ERRORS standard errors over the rows."""
    gains = cross_entropy(others, targets, reduction="none") - cross_entropy(logits, targets, reduction="none")
    return float(gains.mean()) > STANDARD_ERRORS * float(gains.std()) / len(gains) ** 0.5


def _teach(directory: Path, job: _Job) -> torch.Tensor:
    """Return a teacher's logits of all rows, float32 [rows, labels]; fine-tune the teacher first if it has other labels."""
    for name in ("config.json", "model.safetensors"):
        if not (directory / name).is_file():
            raise CompactLMError(f"the teacher's directory {directory} has no {name}; pass the directory of a BERT with --teacher")
    check_teacher(directory, FEWEST_POSITIONS)
    model, names = models.load_classifier(directory), job.data.names
    rows = job.rows(model, directory)
    if [model.config.id2label.get(index) for index in range(len(model.config.id2label))] != names:
        model = build_classifier(directory, names, job.seed).to(models.best_device())
        train, held_out = rows.take(job.train), rows.take(job.held_out)
        fit(model, train, held_out, TEACHER_EPOCHS, TEACHER_RATE, job.seed, lambda sentence: job.say(f"teacher, {sentence}"))
    return logits_of(model, rows)

"""Train a model on labelled rows until the loss on held-out rows stops falling."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Sequence

import torch
from transformers import BertForSequenceClassification

from compactlm.bert.models import classify, pad_tensors
from compactlm.params import Optimisation
from compactlm.tasks.losses import hard_labels, soft_targets
from compactlm.training.loop import Batch, Examples, Settings, set_dropout, train

BATCH_TOKENS = 512
PATIENCE = 4  # training stops after this many epochs without a lower validation loss
TEMPERATURE = 2.0


@dataclasses.dataclass(frozen=True)
class Rows:
    """Labelled rows as token ids."""

    sequences: list[list[int]]
    targets: torch.Tensor  # label ids, int64 [rows]
    teacher: torch.Tensor | None = None  # logits, float [rows, labels]

    @functools.cached_property
    def lengths(self) -> list[int]:
        """The number of tokens of each row."""
        return [len(sequence) for sequence in self.sequences]

    def take(self, rows: Sequence[int]) -> Rows:
        """Return some of the rows."""
        chosen = list(rows)
        return Rows([self.sequences[row] for row in chosen], self.targets[chosen], None if self.teacher is None else self.teacher[chosen])

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return input_ids and attention_mask [rows, tokens], targets [rows] and, with a teacher, its logits [rows, labels]."""
        rows = self.take(positions)
        input_ids, attention_mask = pad_tensors(rows.sequences)
        batch = {"input_ids": input_ids, "attention_mask": attention_mask, "targets": rows.targets}
        return batch if rows.teacher is None else {**batch, "teacher": rows.teacher}


def share(predicted: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the share of rows that are right."""
    return float((predicted == expected).float().mean())


def logits_of(model: BertForSequenceClassification, rows: Rows) -> torch.Tensor:
    """Return a model's logits, float32 [rows, labels]."""
    return classify(model, rows.sequences, 8 * BATCH_TOKENS, "validation", progress=False)


def _loss(logits: torch.Tensor, targets: torch.Tensor, teacher: torch.Tensor | None) -> torch.Tensor:
    loss = hard_labels(logits, targets)
    return loss if teacher is None else loss + soft_targets(logits, teacher, TEMPERATURE)


class _Objective(torch.nn.Module):
    def __init__(self, model: BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, targets: torch.Tensor, teacher: torch.Tensor | None = None
    ) -> Batch:
        return {"loss": _loss(self.model(input_ids, attention_mask=attention_mask).logits, targets, teacher)}


def fit(
    model: BertForSequenceClassification, rows: Rows, held_out: Rows, epochs: int, rate: float, seed: int, say: Callable[[str], object]
) -> int:
    """Train a classifier and return the epoch of the kept weights; see `fit_objective`."""

    def measure() -> tuple[float, str]:
        logits = logits_of(model, held_out)
        loss = float(_loss(logits, held_out.targets, held_out.teacher))
        return loss, f"validation loss {loss:.3f}, accuracy {share(logits.argmax(dim=1), held_out.targets):.1%}"

    return fit_objective(model, _Objective(model), rows, measure, epochs, rate, seed, say)


def fit_objective(
    model: torch.nn.Module,
    objective: torch.nn.Module,
    rows: Examples,
    measure: Callable[[], tuple[float, str]],
    epochs: int,
    rate: float,
    seed: int,
    say: Callable[[str], object],
    batch_tokens: int = BATCH_TOKENS,
) -> int:
    """Train a model, keep the weights with the lowest loss on held-out rows, and return their epoch.

    Args:
        model: the model; its initial weights are epoch 0.
        objective: computes the loss of a batch with the model.
        rows: the training rows.
        measure: returns the loss on held-out rows, and a description of it.
        epochs: maximum number of epochs. Training stops after PATIENCE epochs without a lower loss.
        rate: the peak learning rate.
        seed: the seed of the order of the rows and of dropout.
        say: called with a sentence after each epoch.
        batch_tokens: tokens per batch, padding included.

    Raises:
        CompactLMError: a loss is not a finite number.
    """
    best, kept, weights = measure()[0], 0, copy.deepcopy(model.state_dict())

    def stops(epoch: int) -> bool:
        nonlocal best, kept, weights
        loss, description = measure()
        say(f"epoch {epoch}: {description}")
        if loss < best:
            best, kept, weights = loss, epoch, copy.deepcopy(model.state_dict())
        return epoch - kept >= PATIENCE

    set_dropout(model, 0.1)
    # Not validated: a rate of 0 is allowed here.
    optimisation = Optimisation.model_construct(
        epochs=epochs, learning_rate=rate, weight_decay=0.01, warmup=0.05, batch_tokens=batch_tokens, dropout=0.1
    )
    train("fine-tuning", objective, rows, optimisation, Settings(seed), stops=stops)
    model.load_state_dict(weights)
    return kept

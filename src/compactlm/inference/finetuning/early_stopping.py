"""A classifier trained on labelled rows until those held out get no better."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import BertForSequenceClassification

from compactlm.bert.batches import make_batches
from compactlm.bert.models import pad_tensors
from compactlm.distillation.losses.soft_targets import soft_targets
from compactlm.training.hard_labels import hard_labels
from compactlm.training.loop import set_dropout

BATCH_PIECES = 512
PATIENCE = 4  # epochs without a lower loss of validation
TEMPERATURE = 2.0


@dataclasses.dataclass(frozen=True)
class Rows:
    """Labelled rows as piece ids."""

    sequences: list[list[int]]
    targets: torch.Tensor  # label ids, int64 [rows]
    teacher: torch.Tensor | None = None  # logits, float [rows, labels]

    def take(self, rows: Sequence[int]) -> Rows:
        """Return some of the rows."""
        chosen = list(rows)
        return Rows([self.sequences[row] for row in chosen], self.targets[chosen], None if self.teacher is None else self.teacher[chosen])


def share(predicted: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the share of rows that are right."""
    return float((predicted == expected).float().mean())


def logits_of(model: BertForSequenceClassification, rows: Rows) -> torch.Tensor:
    """Return a model's logits, float32 [rows, labels]."""
    model.eval()
    logits = torch.zeros(len(rows.sequences), model.config.num_labels)
    for positions in make_batches([len(sequence) for sequence in rows.sequences], 8 * BATCH_PIECES, None):
        input_ids, attention_mask = pad_tensors([rows.sequences[position] for position in positions])
        with torch.inference_mode():
            logits[positions] = model(input_ids.to(model.device), attention_mask=attention_mask.to(model.device)).logits.float().cpu()
    return logits


def _loss(logits: torch.Tensor, rows: Rows) -> torch.Tensor:
    loss = hard_labels(logits, rows.targets.to(logits.device))
    if rows.teacher is not None:
        loss = loss + soft_targets(logits, rows.teacher.to(logits.device), TEMPERATURE)
    return loss


def fit(
    model: BertForSequenceClassification, train: Rows, held_out: Rows, epochs: int, rate: float, seed: int, say: Callable[[str], object]
) -> int:
    """Train until the validation loss stops falling, and leave the weights of its lowest point.

    Args:
        model: as it stands, it is epoch 0.
        train: to learn from.
        held_out: to stop on.
        epochs: the most passes over the rows.
        rate: the greatest learning rate.
        seed: of the order.
        say: is told of each epoch in a sentence.

    Returns:
        The epoch of the weights.
    """
    set_dropout(model, 0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    lengths = [len(sequence) for sequence in train.sequences]
    steps = epochs * len(make_batches(lengths, BATCH_PIECES, None))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps + 1, pct_start=0.05, anneal_strategy="linear")
    best, kept, weights = float(_loss(logits_of(model, held_out), held_out)), 0, _copy(model)
    for epoch in range(1, epochs + 1):
        model.train()
        for positions in make_batches(lengths, BATCH_PIECES, f"{seed}/finetune/{epoch}"):
            rows = train.take(positions)
            input_ids, attention_mask = pad_tensors(rows.sequences)
            loss = _loss(model(input_ids.to(model.device), attention_mask=attention_mask.to(model.device)).logits, rows)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        logits = logits_of(model, held_out)
        found = float(_loss(logits, held_out))
        say(f"epoch {epoch}: validation loss {found:.3f}, accuracy {share(logits.argmax(dim=1), held_out.targets):.1%}")
        if found < best:
            best, kept, weights = found, epoch, _copy(model)
        elif epoch - kept >= PATIENCE:
            break
    model.load_state_dict(weights)
    return kept


def _copy(model: torch.nn.Module) -> dict[str, Any]:
    return copy.deepcopy(model.state_dict())

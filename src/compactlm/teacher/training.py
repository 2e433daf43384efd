"""Fine-tune the teacher: a classifier for each task."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import BertForSequenceClassification

from compactlm.bert.models import pad_tensors
from compactlm.errors import CompactLMError
from compactlm.params import FineTuning
from compactlm.tasks.losses import hard_labels
from compactlm.teacher.frozen_layers import LabelledStates, cache_gigabytes, frozen_states, without_frozen
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Batch, Settings, Summary, set_dropout, train


class LabelledSequences:
    """Sequences with label ids."""

    def __init__(
        self, sequences: Sequence[Sequence[int]], labels: Sequence[int], padding: int = 0, ids: Sequence[str] | None = None
    ) -> None:
        """Take token ids, a label id for each sequence, the id of [PAD], and the rows' ids (by default their numbers)."""
        self.ids = ids or [str(row) for row in range(len(sequences))]
        self.sequences, self.labels, self.padding = sequences, torch.tensor(labels), padding
        self.lengths = [len(sequence) for sequence in sequences]

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return input_ids and attention_mask, int64 [rows, tokens], and labels, int64 [rows]."""
        input_ids, attention_mask = pad_tensors([self.sequences[position] for position in positions], self.padding)
        return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": self.labels[list(positions)]}


class _Classification(torch.nn.Module):
    def __init__(self, model: BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, labels: torch.Tensor, **inputs: torch.Tensor) -> Batch:
        return {"loss": hard_labels(self.model(**inputs).logits, labels)}


def build_classifier(directory: Path, labels: Sequence[str], seed: int) -> BertForSequenceClassification:
    """Return a model's body from a local directory with a new head for these labels."""
    torch.manual_seed(seed)
    return BertForSequenceClassification.from_pretrained(
        directory,
        local_files_only=True,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )


def fine_tune(
    name: str,
    model: BertForSequenceClassification,
    sequences: Sequence[Sequence[int]],
    labels: Sequence[int],
    params: FineTuning,
    settings: Settings,
    checkpoint: Checkpoint | None = None,
    ids: Sequence[str] | None = None,
) -> Summary:
    """Fine-tune a classifier. Embeddings and the lowest `frozen_layers` layers do not change. Errors name rows by `ids`.

    The output of frozen layers is computed once and kept if it fits into `cache_gigabytes`; results do not depend on this beyond
    rounding. Frozen layers, and the embeddings below them, have no dropout.

    Raises:
        CompactLMError: the model has fewer layers than `frozen_layers`.
    """
    frozen, layers, optimisation = params.frozen_layers, model.bert.encoder.layer, params.optimisation
    if frozen > len(layers):
        raise CompactLMError(f"teacher.fine_tuning.frozen_layers is {frozen}, but the teacher has {len(layers)} layers; lower it")
    set_dropout(model, optimisation.dropout)
    lower = torch.nn.ModuleList([model.bert.embeddings, *layers[:frozen]])
    lower.requires_grad_(False)
    if frozen:
        set_dropout(lower, 0.0)
    title, section = f"teacher {name}", "teacher.fine_tuning.optimisation"
    examples: LabelledSequences | LabelledStates = LabelledSequences(sequences, labels, ids=ids)
    with contextlib.ExitStack() as stack:
        if frozen and cache_gigabytes(sum(examples.lengths), model.config.hidden_size) <= params.cache_gigabytes:
            accelerator = processes.connect(settings.precision)
            states = frozen_states(model, frozen, sequences, optimisation.batch_tokens, accelerator, f"{title}, frozen layers")
            examples = LabelledStates(states, examples.lengths, labels, examples.ids)
            stack.enter_context(without_frozen(model, frozen))
        summary = train(title, _Classification(model), examples, optimisation, settings, checkpoint, section=section)
    model.requires_grad_(True)
    return summary

"""Train the teacher: a masked-language-model head if it has none, and a classifier for each task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.bert.models import masked_logits, pad_tensors
from compactlm.errors import CompactLMError
from compactlm.params import FineTuning, MlmHead
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.hard_labels import hard_labels
from compactlm.training.loop import Batch, Settings, Summary, set_dropout, train
from compactlm.training.random_masking import MaskedExamples, MaskedSequences


class _MaskedLM(torch.nn.Module):
    def __init__(self, model: BertForMaskedLM) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor) -> Batch:
        where = labels >= 0
        return {"loss": hard_labels(masked_logits(self.model, input_ids, attention_mask, where), labels[where])}


def fit_mlm_head(
    model: BertForMaskedLM,
    tokenizer: Any,
    sequences: Sequence[Sequence[int]],
    params: MlmHead,
    settings: Settings,
    checkpoint: Checkpoint | None = None,
    documents: Sequence[str] | None = None,
) -> Summary:
    """Train a new masked-language-model head, and the topmost layers, of a body that was trained for another purpose.

    The decoder stays tied to the word embeddings, which do not change. Sequences include [CLS] and [SEP]; `documents` has the id of each
    sequence's document for error messages.
    """
    model.requires_grad_(False)
    model.cls.requires_grad_(True)
    model.cls.predictions.decoder.weight.requires_grad_(False)
    layers = model.bert.encoder.layer
    for layer in layers[len(layers) - min(params.trained_layers, len(layers)) :]:
        layer.requires_grad_(True)
    _start_from_frequencies(model, sequences)
    set_dropout(model, params.optimisation.dropout)
    names = [str(number) for number in range(len(sequences))]
    maskings = params.optimisation.epochs
    tokenized = MaskedSequences(names, sequences, tokenizer, params.mask_rate, f"{settings.seed}/mlm-head", maskings)
    examples = MaskedExamples(tokenized, maskings)
    examples.ids = list(documents or examples.ids)
    section = "teacher.mlm_head.optimisation"
    summary = train("masked-language-model head", _MaskedLM(model), examples, params.optimisation, settings, checkpoint, section=section)
    model.requires_grad_(True)
    return summary


def _start_from_frequencies(model: BertForMaskedLM, sequences: Sequence[Sequence[int]]) -> None:
    """Set the decoder's bias to the log frequencies of the tokens, which saves the first training steps."""
    counts = torch.full((model.config.vocab_size,), 0.1)
    for sequence in sequences:
        counts += torch.bincount(torch.tensor(sequence), minlength=len(counts))
    with torch.no_grad():
        model.cls.predictions.decoder.bias.copy_(torch.log(counts / counts.sum()))


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

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor) -> Batch:
        return {"loss": hard_labels(self.model(input_ids, attention_mask=attention_mask).logits, labels)}


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

    Raises:
        CompactLMError: the model has fewer layers than `frozen_layers`.
    """
    layers = model.bert.encoder.layer
    if params.frozen_layers > len(layers):
        raise CompactLMError(
            f"teacher.fine_tuning.frozen_layers is {params.frozen_layers}, but the teacher has {len(layers)} layers; lower it"
        )
    frozen: list[torch.nn.Module] = [model.bert.embeddings, *layers[: params.frozen_layers]]
    for module in frozen:
        module.requires_grad_(False)
    set_dropout(model, params.optimisation.dropout)
    examples = LabelledSequences(sequences, labels, ids=ids)
    section = "teacher.fine_tuning.optimisation"
    summary = train(f"teacher {name}", _Classification(model), examples, params.optimisation, settings, checkpoint, section=section)
    model.requires_grad_(True)
    return summary

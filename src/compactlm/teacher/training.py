"""Fine-tune the teacher: one model for each task, with the head of the task."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertForSequenceClassification, BertPreTrainedModel

from compactlm.bert.task_models import FORMS, head_config, head_of, inputs_of, logits_of
from compactlm.errors import CompactLMError
from compactlm.params import FineTuning
from compactlm.tasks import KINDS, kind_of
from compactlm.tasks.base import Example, Task, TaskOfModel
from compactlm.teacher.frozen_layers import LabelledStates, cache_gigabytes, frozen_states, without_frozen
from compactlm.training import processes
from compactlm.training.checkpoints import Checkpoint
from compactlm.training.loop import Batch, Settings, Summary, set_dropout, train
from compactlm.training.task_losses import TaskLosses


class LabelledExamples:
    """Sequences with targets."""

    def __init__(self, examples: Sequence[Example], losses: TaskLosses, padding: int = 0, ids: Sequence[str] | None = None) -> None:
        """Take the sequences, the losses of their task, the id of [PAD], and the sequences' ids (by default their numbers)."""
        self.ids = ids or [str(row) for row in range(len(examples))]
        self.examples, self.losses, self.padding = examples, losses, padding
        self.lengths = [len(one.input_ids) for one in examples]

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return input_ids and attention_mask, int64 [rows, tokens], token_type_ids of pairs, and labels; see Kind.collate."""
        chosen = [self.examples[position] for position in positions]
        inputs = inputs_of(chosen, self.padding)
        return {**inputs, "labels": self.losses.labels([one.target for one in chosen], inputs["input_ids"].shape[1])}


class LabelledObjective(torch.nn.Module):
    """The loss of a model on labelled sequences of a task."""

    def __init__(self, model: BertPreTrainedModel, losses: TaskLosses) -> None:
        super().__init__()
        self.model, self.losses = model, losses

    def forward(self, labels: torch.Tensor, **inputs: torch.Tensor) -> Batch:
        """Return `loss`, a scalar, for the batch of LabelledExamples.batch."""
        return {"loss": self.losses.hard(logits_of(self.model, **inputs), {**inputs, "labels": labels})}


def build_classifier(directory: Path, labels: Sequence[str], seed: int) -> BertForSequenceClassification:
    """Load a model's body from a local directory, with a new head for these labels."""
    classifier: BertForSequenceClassification = build_task_model(directory, classification(labels), seed)
    return classifier


def build_task_model(directory: Path, task: Task, seed: int) -> Any:
    """Load a model's body from a local directory, with a new head for a task."""
    kind = kind_of(task)
    config = BertConfig.from_pretrained(directory, local_files_only=True)
    for name, value in head_config(kind, task).items():  # from_pretrained itself refuses keys that are not those of BERT
        setattr(config, name, value)
    torch.manual_seed(seed)
    return FORMS[kind.architecture].from_pretrained(directory, config=config, local_files_only=True)


def as_examples(sequences: Sequence[Sequence[int]], labels: Sequence[int]) -> list[Example]:
    """Return sequences and their label ids as examples of a classification."""
    return [Example(list(ids), target=[float(label)]) for ids, label in zip(sequences, labels, strict=True)]


def classification(labels: Sequence[str]) -> TaskOfModel:
    """Return the task of classifying texts by these labels."""
    return TaskOfModel("classification", tuple(labels), KINDS["classification"].main_metrics[0])


def fine_tune(
    name: str,
    model: BertPreTrainedModel,
    examples: Sequence[Example],
    task: Task,
    params: FineTuning,
    settings: Settings,
    checkpoint: Checkpoint | None = None,
    ids: Sequence[str] | None = None,
) -> Summary:
    """Fine-tune a model with the head of a task. Embeddings and the lowest `frozen_layers` layers do not change.

    The output of frozen layers is computed once and kept if it fits into `cache_gigabytes`. This changes results only by rounding. Frozen
    layers, and the embeddings below them, have no dropout. Errors name sequences by `ids`.

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
    losses = TaskLosses(kind_of(task), task, [one.target for one in examples])
    rows: LabelledExamples | LabelledStates = LabelledExamples(examples, losses, ids=ids)
    with contextlib.ExitStack() as stack:
        if frozen and cache_gigabytes(sum(rows.lengths), model.config.hidden_size) <= params.cache_gigabytes:
            accelerator = processes.connect(settings.precision)
            states = frozen_states(model, frozen, examples, optimisation.batch_tokens, accelerator, f"{title}, frozen layers")
            rows = LabelledStates(states, examples, losses, rows.ids)
            stack.enter_context(without_frozen(model, frozen))
        summary = train(title, LabelledObjective(model, losses), rows, optimisation, settings, checkpoint, section=section)
    losses.fold(head_of(model))
    model.requires_grad_(True)
    return summary

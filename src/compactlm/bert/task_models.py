"""BERT with the head of a task: for sequences, for tokens, or for questions about a passage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from transformers import BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification, BertPreTrainedModel

from compactlm.bert import models
from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.tasks.base import Array, Example, Kind, Task

FORMS: dict[str, Any] = {
    form.__name__: form for form in (BertForSequenceClassification, BertForTokenClassification, BertForQuestionAnswering)
}


def head_config(kind: Kind, task: Task) -> dict[str, Any]:
    """Return the entries of config.json for a task's head: the number of outputs, their names, and `kind.settings`."""
    names = kind.names(task)
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}} if names else {}
    return {"num_labels": kind.outputs(task), **labels, **kind.settings(task)}


def load_task_model(directory: Path) -> BertPreTrainedModel:
    """Load a task's model from a local directory to the best device, by the architecture in its config.json.

    Raises:
        CompactLMError: a weight is not a finite number.
        FileNotFoundError: config.json is missing.
    """
    architecture = next(iter(json.loads((directory / "config.json").read_text(encoding="utf-8")).get("architectures") or ()), "")
    model: BertPreTrainedModel = models.load_form(FORMS.get(architecture, BertForSequenceClassification), directory)
    return model


def head_of(model: BertPreTrainedModel) -> torch.nn.Linear:
    """Return the last linear layer of a task's model."""
    head: torch.nn.Linear = model.qa_outputs if isinstance(model, BertForQuestionAnswering) else model.classifier
    return head


def logits_of(model: BertPreTrainedModel, **inputs: torch.Tensor) -> torch.Tensor:
    """Run a task's model; return float [rows, outputs], or [rows, tokens, outputs] of a model for tokens or questions."""
    output = model(**inputs)
    if isinstance(model, BertForQuestionAnswering):
        return torch.stack([output.start_logits, output.end_logits], dim=-1)
    logits: torch.Tensor = output.logits
    return logits


def logits_of_body(model: BertPreTrainedModel, output: Any) -> torch.Tensor:
    """Return the same as `logits_of`, from the output of the body. The head's dropout applies."""
    states = output.pooler_output if isinstance(model, BertForSequenceClassification) else output.last_hidden_state
    logits: torch.Tensor = head_of(model)(states if isinstance(model, BertForQuestionAnswering) else model.dropout(states))
    return logits


def run_examples(
    model: BertPreTrainedModel, examples: Sequence[Example], batch_tokens: int, description: str, progress: bool = True
) -> list[Array]:
    """Return the outputs for each sequence, float32 [outputs] or [tokens, outputs], in the given order."""
    model.eval()
    found: dict[int, Array] = {}
    batches = make_batches([len(one.input_ids) for one in examples], batch_tokens)
    bar = tqdm(batches, desc=description, unit="batch", mininterval=0.5, disable=not progress)
    for number, positions in enumerate(bar, start=1):
        chosen = [examples[position] for position in positions]
        lengths = [len(one.input_ids) for one in chosen]
        with memory_errors(description, number, lengths, batch_tokens), torch.inference_mode():
            logits = logits_of(model, **_to_device(model, inputs_of(chosen, model.config.pad_token_id))).float().cpu().numpy()
        per_token = logits.ndim == 3
        found |= {at: row[:length] if per_token else row for at, row, length in zip(positions, logits, lengths, strict=True)}
    return [found[position] for position in range(len(examples))]


def run_rows(
    model: BertPreTrainedModel, rows: Sequence[Sequence[Example]], batch_tokens: int, description: str, progress: bool = True
) -> list[list[Array]]:
    """Return the outputs for each sequence of each row; see `run_examples`."""
    outputs = iter(run_examples(model, [one for row in rows for one in row], batch_tokens, description, progress))
    return [[next(outputs) for _ in row] for row in rows]


def inputs_of(examples: Sequence[Example], padding: int = 0) -> dict[str, torch.Tensor]:
    """Return input_ids and attention_mask of a batch, and token_type_ids if a sequence has a second text."""
    return models.pad_examples([one.input_ids for one in examples], [one.second for one in examples], padding)


def _to_device(model: BertPreTrainedModel, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(model.device) for name, tensor in inputs.items()}


def stacked(outputs: Sequence[Array], width: int) -> Array:
    """Return the outputs of sequences as one array, float32 [sequences, width]."""
    return np.stack(outputs) if outputs else np.zeros((0, width), np.float32)

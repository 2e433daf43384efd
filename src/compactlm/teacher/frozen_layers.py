"""Fine-tuning above frozen layers, whose output for each training row is computed once and kept in memory.

The frozen layers give a row the same states in every epoch, so each later epoch runs the upper layers only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from accelerate import Accelerator
from tqdm import tqdm
from transformers import BertPreTrainedModel

from compactlm.bert.batches import make_batches
from compactlm.bert.memory import memory_errors
from compactlm.bert.task_models import inputs_of
from compactlm.tasks.base import Example
from compactlm.training.loop import Batch
from compactlm.training.task_losses import TaskLosses

BYTES = 4  # of a float32


def cache_gigabytes(tokens: int, width: int) -> float:
    """Return the size of the cached states in gigabytes, from the number of tokens and the model's hidden size."""
    return tokens * width * BYTES / 1e9


class LabelledStates:
    """Training rows that hold the output of the frozen layers instead of token ids."""

    def __init__(self, states: torch.Tensor, examples: Sequence[Example], losses: TaskLosses, ids: Sequence[str]) -> None:
        """Take the states of all sequences one after another, float32 [tokens, hidden size], the sequences, their losses and their ids."""
        self.lengths = [len(one.input_ids) for one in examples]
        self.rows = states.split(self.lengths)
        self.targets, self.losses, self.ids = [one.target for one in examples], losses, ids

    def batch(self, positions: Sequence[int], epoch: int) -> Batch:  # noqa: ARG002 - every epoch has the same rows
        """Return inputs_embeds, float32 [rows, tokens, hidden size], attention_mask, int64 [rows, tokens], and labels; see Kind.collate.

        States of padding are 0.
        """
        states = torch.nn.utils.rnn.pad_sequence([self.rows[position] for position in positions], batch_first=True)
        lengths = torch.tensor([self.lengths[position] for position in positions])
        mask = (torch.arange(states.shape[1]) < lengths[:, None]).long()
        labels = self.losses.labels([self.targets[position] for position in positions], states.shape[1])
        return {"inputs_embeds": states, "attention_mask": mask, "labels": labels}


def frozen_states(
    model: BertPreTrainedModel,
    layers: int,
    examples: Sequence[Example],
    batch_tokens: int,
    accelerator: Accelerator,
    description: str,
) -> torch.Tensor:
    """Return the output of the lowest `layers` layers for each token of each sequence, float32 [tokens, hidden size], on the CPU.

    Sequences are in batches of similar length; the model is moved to the accelerator's device.
    """
    model.to(accelerator.device).eval()
    lengths = [len(one.input_ids) for one in examples]
    starts = torch.tensor([0, *lengths]).cumsum(0).tolist()
    states = torch.empty(starts[-1], model.config.hidden_size)
    batches = make_batches(lengths, batch_tokens)
    bar = tqdm(batches, desc=description, unit="batch", mininterval=0.5, disable=not accelerator.is_main_process)
    encoder, every = model.bert.encoder, model.bert.encoder.layer
    encoder.layer = every[:layers]
    try:
        for number, positions in enumerate(bar, start=1):
            taken = [lengths[position] for position in positions]
            with memory_errors(description, number, taken, batch_tokens), torch.no_grad(), accelerator.autocast():
                inputs = inputs_of([examples[position] for position in positions], model.config.pad_token_id)
                on_device = {name: tensor.to(accelerator.device) for name, tensor in inputs.items()}
                found = model.bert(**on_device).last_hidden_state.float().cpu()
            for position, row in zip(positions, found, strict=True):
                states[starts[position] : starts[position + 1]] = row[: lengths[position]]
    finally:
        encoder.layer = every
    return states


class _Given(torch.nn.Module):
    """Replaces the embeddings; it returns its input unchanged."""

    def forward(self, inputs_embeds: torch.Tensor, **_: object) -> torch.Tensor:
        return inputs_embeds


@contextlib.contextmanager
def without_frozen(model: BertPreTrainedModel, layers: int) -> Iterator[None]:
    """Remove the embeddings and the lowest `layers` layers within this context; the model then takes `inputs_embeds`."""
    embeddings, every = model.bert.embeddings, model.bert.encoder.layer
    model.bert.embeddings, model.bert.encoder.layer = _Given(), every[layers:]
    try:
        yield
    finally:
        model.bert.embeddings, model.bert.encoder.layer = embeddings, every

"""The teacher's signals for a batch of a student's sequences.

The student's token ids are mapped to the teacher's ids, so both models read the same tokens. For a task whose answer belongs to the whole
text, the teacher reads its own tokens instead (see segmentation). The online teacher computes the signals of each batch; the cache looks
them up (see cache). Both return the same tensors, with rows as the first dimension:

    teacher_states      hidden states, float [rows, tokens, layers, teacher's hidden size], layers in the order of the source
    teacher_logits      of a task, float [rows, outputs]
    teacher_token_logits of a task for tokens or questions, float [rows, tokens, outputs]
    teacher_values      logits of the likeliest tokens at each masked position, float [rows, positions, k]
    teacher_indices     the student's ids of these tokens, int64 [rows, positions, k]
    teacher_log_rest    logsumexp of all other tokens' logits, divided by the temperature, float [rows, positions]
    teacher_attentions  probabilities, float [rows, layers, heads, tokens, tokens]; only online and on request

The positions of a row are those of its masked tokens from left to right, padded with zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.bert.task_models import head_of
from compactlm.distillation.signals.segmentation import TeacherTokens
from compactlm.errors import CompactLMError
from compactlm.shapes.layers import kept_layers

Batch = dict[str, torch.Tensor]


def require_attentions(attentions: Sequence[torch.Tensor] | None, side: str) -> tuple[torch.Tensor, ...]:
    """Return the attention probabilities of a model's output, one tensor for each layer.

    Raises:
        CompactLMError: there are none; the message names the side, "student" or "teacher".
    """
    if not attentions:
        raise CompactLMError(
            f"the {side} returned no attention probabilities; call it with output_attentions=True and load it with "
            "attn_implementation='eager', because the default 'sdpa' returns none"
        )
    return tuple(attentions)


class SignalSource(Protocol):
    """A source of the teacher's signals."""

    @property
    def layers(self) -> Sequence[int]:
        """The teacher's layers whose hidden states are signals, 0 for the embeddings."""
        ...

    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:
        """Return the signals of a batch (input_ids, attention_mask, and labels if tokens are masked). The cache looks up `rows`."""
        ...


class _Online:
    """A teacher that runs on every batch, in eval mode, because dropout would add noise to its signals."""

    def __init__(
        self,
        teacher: Any,
        id_map: Sequence[int],
        layers: int | Sequence[int],
        attentions: bool = False,
        precision: str = "fp32",
        body: Any = None,
    ) -> None:
        """Take the teacher, its id of each of the student's ids, the layers, whether to return attentions, and the precision.

        `body`, if given, runs instead of the teacher's body and must return the same outputs.

        Raises:
            CompactLMError: the teacher lacks one of the layers.
        """
        self.teacher = teacher.eval().requires_grad_(False)
        self.layers = kept_layers(layers, teacher.config.num_hidden_layers)
        self.attentions, self.precision, self.body = attentions, precision, body or teacher.bert
        self.id_map = torch.tensor(id_map, device=teacher.device)

    def _read(self, batch: Batch) -> tuple[torch.Tensor, Batch]:
        """Return the last hidden states, and the signals of the layers."""
        return self._read_own({**batch, "input_ids": self.id_map[batch["input_ids"].to(self.teacher.device)]})

    def _read_own(self, batch: Batch) -> tuple[torch.Tensor, Batch]:
        """Return the same as `_read`, for a batch in the teacher's ids."""
        device = self.teacher.device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            output = self.body(
                batch["input_ids"].to(device),
                attention_mask=batch["attention_mask"].to(device),
                token_type_ids=batch["token_type_ids"].to(device) if "token_type_ids" in batch else None,
                output_hidden_states=True,
                output_attentions=self.attentions,
            )
        signals = {"teacher_states": torch.stack([output.hidden_states[layer] for layer in self.layers], dim=2).float()}
        if self.attentions:
            signals["teacher_attentions"] = torch.stack(require_attentions(output.attentions, "teacher"), dim=1).float()
        return output.last_hidden_state.float(), signals


class OnlineStates(_Online):
    """A teacher without a head that runs on every batch. Its hidden states are the only signals."""

    @torch.no_grad()
    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:  # noqa: ARG002 - the cache needs them
        """Return states; see SignalSource."""
        return self._read(batch)[1]


class OnlineTask(_Online):
    """A fine-tuned teacher that runs on every batch.

    Attributes:
        segmentation: the teacher's own tokens for the student's sequences; None lets the teacher read the student's tokens.
    """

    segmentation: TeacherTokens | None = None

    @torch.no_grad()
    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:  # noqa: ARG002 - the cache needs them
        """Return states and the task's outputs; see SignalSource."""
        if self.segmentation:
            own, weights = self.segmentation.read(batch)
            states, signals = self._read_own(own)
            found = signals["teacher_states"]
            signals["teacher_states"] = torch.einsum("rst,rtlh->rslh", weights.to(found.device), found)
        else:
            states, signals = self._read(batch)
        if not isinstance(self.teacher, BertForSequenceClassification):
            return {**signals, "teacher_token_logits": head_of(self.teacher)(states)}
        pooled = self.teacher.bert.pooler.activation(self.teacher.bert.pooler.dense(states[:, 0]))
        return {**signals, "teacher_logits": self.teacher.classifier(pooled)}


class OnlineMasked(_Online):
    """A masked language model that runs on every batch."""

    def __init__(
        self,
        teacher: BertForMaskedLM,
        id_map: Sequence[int],
        layers: int | Sequence[int],
        top_k: int,
        temperature: float,
        attentions: bool = False,
        precision: str = "fp32",
    ) -> None:
        """Take what OnlineTask takes, the number of tokens to keep, and the temperature for the sum over all other tokens."""
        super().__init__(teacher, id_map, layers, attentions, precision)
        self.top_k, self.temperature = min(top_k, len(id_map)), temperature
        decoder = teacher.cls.predictions.decoder
        # Only the student's tokens are scored. The soft targets are the teacher's distribution over them.
        self.weight, self.bias = decoder.weight[self.id_map], decoder.bias[self.id_map]

    @torch.no_grad()
    def signals(self, batch: Batch, rows: Sequence[int]) -> Batch:  # noqa: ARG002 - the cache needs them
        """Return states, and the likeliest tokens at the masked positions; see SignalSource."""
        states, signals = self._read(batch)
        where = (batch["labels"] >= 0).to(states.device)
        logits = torch.nn.functional.linear(self.teacher.cls.predictions.transform(states[where]), self.weight, self.bias)
        values, indices = logits.topk(self.top_k, dim=-1)
        others = logits.scatter(1, indices, float("-inf")) / self.temperature
        packed = position_mask(where)
        return {
            **signals,
            "teacher_values": _spread(values, packed),
            "teacher_indices": _spread(indices, packed),
            "teacher_log_rest": _spread(others.logsumexp(dim=-1), packed),
        }


def position_mask(where: torch.Tensor) -> torch.Tensor:
    """Return which positions are not padding, bool [rows, largest number of masked tokens], from a mask of the masked tokens."""
    counts = where.sum(dim=1)
    return torch.arange(int(counts.max()), device=where.device)[None, :] < counts[:, None]


def _spread(values: torch.Tensor, packed: torch.Tensor) -> torch.Tensor:
    """Turn the values of all masked positions, row after row, into a padded tensor with rows first."""
    spread = values.new_zeros(*packed.shape, *values.shape[1:])
    spread[packed] = values
    return spread

"""The interface of a loaded model. ONNX Runtime and torch implement it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from compactlm.bert.arrays import Array
from compactlm.bert.batches import Batch

Kind = Literal["mlm", "task", "embedding"]


class Runner(Protocol):
    """A loaded model."""

    def masked_logits(self, batch: Batch, where: Array) -> Array:
        """Return the vocabulary logits where `where`, bool [rows, tokens], is True, float32 [positions, vocabulary]."""
        ...

    def task_logits(self, batch: Batch) -> Array:
        """Return the outputs of a task's head, float32 [rows, outputs], or [rows, tokens, outputs] for a kind with outputs for each token.

        A head for questions has two outputs for each token, the logits of starts and of ends.
        """
        ...

    def hidden(self, batch: Batch, layers: Sequence[int]) -> list[Array]:
        """Return the hidden states of `layers` (0 the embeddings, -1 the last layer), each float32 [rows, tokens, width].

        A model that pools its own output returns [rows, width].
        """
        ...

    def attentions(self, batch: Batch) -> Array | None:
        """Return attention probabilities, float32 [layers, rows, heads, tokens, tokens]; None if the backend does not give them."""
        ...


def short_reason(error: BaseException) -> str:
    """Return the start of a library's message on one line."""
    return " ".join(str(error).split())[:120]

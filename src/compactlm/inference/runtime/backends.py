"""What runs a model: one interface, on torch or on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from compactlm.bert.arrays import Array
from compactlm.bert.batches import Batch
from compactlm.inference.runtime.directories import ModelDirectory

Kind = Literal["mlm", "task", "embedding"]


class Runner(Protocol):
    """A loaded model."""

    def masked_logits(self, batch: Batch, where: Array) -> Array:
        """Return the vocabulary's logits where `where`, bool [rows, pieces], is True, float32 [positions, vocabulary]."""
        ...

    def task_logits(self, batch: Batch) -> Array:
        """Return the labels' logits, float32 [rows, labels]."""
        ...

    def hidden(self, batch: Batch, layers: Sequence[int]) -> list[Array]:
        """Return the hidden states of some layers (0 the embeddings, -1 the last), each float32 [rows, pieces, width].

        A model that pools by itself gives [rows, width].
        """
        ...

    def attentions(self, batch: Batch) -> Array | None:
        """Return attention probabilities, float32 [layers, rows, heads, pieces, pieces]; None where they cannot be had."""
        ...


def open_runner(directory: ModelDirectory, kind: Kind, threads: int) -> Runner:
    """Load a model.

    Args:
        directory: where it lies and what is to run it.
        kind: which head it has.
        threads: of the CPU; 0 for as many as there are cores.

    Raises:
        CompactLMError: its file is damaged, or does not fit its config.json.
    """
    # Each is imported where it is wanted: torch and transformers take seconds.
    if directory.backend == "torch":
        from compactlm.inference.runtime.torch_backend import TorchRunner

        return TorchRunner(directory, kind, threads)
    from compactlm.inference.runtime.onnx_backend import OnnxRunner

    return OnnxRunner(directory, kind, threads)

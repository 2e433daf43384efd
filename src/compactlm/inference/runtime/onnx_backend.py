"""A model on ONNX Runtime: no torch, no transformers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime

from compactlm.bert.arrays import Array, check_finite
from compactlm.bert.batches import Batch
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.backends import Kind
from compactlm.inference.runtime.directories import ModelDirectory
from compactlm.inference.runtime.onnx import FIRST_OUTPUT, INPUTS
from compactlm.inference.runtime.projection import FILE as PROJECTION
from compactlm.inference.runtime.projection import FIRST

OUTPUTS = {"mlm": ("logits",), "task": ("logits",), "embedding": ("sentence_embedding", "last_hidden_state")}
NO_MEMORY = ("bad_alloc", "allocate memory")  # in messages of ONNX Runtime, whose exceptions do not tell


class OnnxRunner:
    """An ONNX file with the inputs input_ids, attention_mask and token_type_ids; see backends.Runner for the methods."""

    def __init__(self, directory: ModelDirectory, kind: Kind, threads: int) -> None:
        """Open the directory's file.

        Raises:
            CompactLMError: it is damaged, or is no model of this kind.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # what is wrong is said once, below
        try:
            self.session = onnxruntime.InferenceSession(str(directory.weights), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - the library's own exceptions have no common base
            reason = " ".join(str(error).split())[:120]
            if _wants_memory(error):
                raise CompactLMError(
                    f"there is not enough memory to load {directory.weights} ({reason or 'MemoryError'}); free some, or use another machine"
                ) from None
            raise CompactLMError(
                f"{directory.weights} cannot be read ({reason}); restore it with `dvc checkout`, or copy the model again"
            ) from None
        outputs = {output.name: output.shape for output in self.session.get_outputs()}
        found = [name for name in OUTPUTS[kind] if name in outputs]
        if not found or (kind != "embedding" and len(outputs[found[0]]) != {"mlm": 3, "task": 2}[kind]):
            raise CompactLMError(f"{directory.weights} is not the file of a model of the kind {kind!r}; name another directory")
        self.path, self.output, self.outputs = directory.weights, found[0], set(outputs)
        self.inputs = {value.name for value in self.session.get_inputs()}
        if not self.inputs <= set(INPUTS):
            raise CompactLMError(
                f"{directory.weights} wants {', '.join(sorted(self.inputs - set(INPUTS)))}, which a BERT of `dvc repro export` does not; "
                "name another directory"
            )
        size = outputs[self.output][-1]
        wanted = {"mlm": directory.vocabulary_size, "task": len(directory.labels)}.get(kind)
        if wanted is not None and isinstance(size, int) and size != wanted:
            raise CompactLMError(
                f"{directory.weights} gives {size:,} values and {directory.path}/config.json says {wanted:,}; "
                "copy the model again as a whole"
            )

    def _run(self, batch: Batch, outputs: Sequence[str]) -> list[Array]:
        feeds = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "token_type_ids": np.zeros_like(batch.input_ids),
        }
        try:
            found: list[Array] = self.session.run(list(outputs), {name: feeds[name] for name in self.inputs})
        except Exception as error:  # noqa: BLE001 - the library's own exceptions have no common base
            reason = " ".join(str(error).split())[:120]
            if _wants_memory(error):
                texts, pieces = batch.input_ids.shape
                raise CompactLMError(
                    f"there is not enough memory for {self.path} to read {texts:,} texts of {pieces:,} pieces "
                    f"({reason or 'MemoryError'}); free some, or give it shorter texts"
                ) from None
            raise CompactLMError(
                f"{self.path} fails on {batch.input_ids.shape[1]:,} pieces ({reason}); copy the model again as a whole"
            ) from None
        return found

    def masked_logits(self, batch: Batch, where: Array) -> Array:
        """Return the vocabulary's logits where `where` is True."""
        return check_finite(self._run(batch, [self.output])[0][where], self.path)

    def task_logits(self, batch: Batch) -> Array:
        """Return the labels' logits."""
        return check_finite(self._run(batch, [self.output])[0], self.path)

    def hidden(self, batch: Batch, layers: Sequence[int]) -> list[Array]:
        """Return the hidden states of some layers."""
        wanted = [FIRST_OUTPUT if layer == FIRST else self.output for layer in layers]
        if not set(wanted) <= self.outputs:
            raise CompactLMError(
                f"{self.path} does not give {FIRST_OUTPUT}, which the {PROJECTION} beside it is for; run `dvc repro export`"
            )
        return [check_finite(states, self.path) for states in self._run(batch, wanted)]

    def attentions(self, batch: Batch) -> Array | None:  # noqa: ARG002
        """Return None: the files have no such output."""
        return None


def _wants_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in NO_MEMORY)

"""Run a model on ONNX Runtime, without torch and transformers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compactlm.bert.arrays import Array, check_finite
from compactlm.bert.batches import Batch
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import ModelDirectory
from compactlm.inference.runtime.onnx_session import FIRST_OUTPUT, INPUTS, open_session
from compactlm.inference.runtime.projection import FILE as PROJECTION
from compactlm.inference.runtime.projection import FIRST
from compactlm.inference.runtime.runner import Kind, short_reason
from compactlm.tasks import kind_of

SPANS = ("start_logits", "end_logits")  # the outputs of a head for questions, read as one
OUTPUTS = {"mlm": ("logits",), "task": ("logits", SPANS[0]), "embedding": ("sentence_embedding", "last_hidden_state")}
NO_MEMORY = ("bad_alloc", "allocate memory")  # ONNX Runtime reports a lack of memory only in its messages


class OnnxRunner:
    """An ONNX file with the inputs input_ids, attention_mask and token_type_ids; implements runner.Runner."""

    def __init__(self, directory: ModelDirectory, kind: Kind, threads: int) -> None:
        """Open the ONNX file of a directory.

        Raises:
            CompactLMError: the file is damaged, or is not a model of this kind.
        """
        self.path = path = directory.weights
        try:
            self.session = open_session(path, threads)
        except Exception as error:  # noqa: BLE001 - the library's exceptions have no common base
            reason = short_reason(error)
            if _lacks_memory(error):
                raise CompactLMError(
                    f"there is not enough memory to load {path} ({reason or 'MemoryError'}); free some memory, or use another machine"
                ) from None
            raise CompactLMError(f"{path} cannot be read ({reason}); restore it with `dvc checkout`, or copy the model again") from None
        outputs = {output.name: output.shape for output in self.session.get_outputs()}
        found = [name for name in OUTPUTS[kind] if name in outputs]
        per_token = kind == "mlm" or (kind == "task" and kind_of(directory.task).per_token)
        rank = 3 if per_token and "logits" in found else 2
        if not found or (kind != "embedding" and len(outputs[found[0]]) != rank):
            raise CompactLMError(f"{path} is not a model of the kind {kind!r}; pass another directory with --model")
        self.output, self.outputs = found[0], set(outputs)
        self.inputs = {value.name for value in self.session.get_inputs()}
        if not self.inputs <= set(INPUTS):
            unknown = ", ".join(sorted(self.inputs - set(INPUTS)))
            raise CompactLMError(f"{path} has the unknown inputs {unknown}; pass a model that `dvc repro export` wrote")
        size = 2 if self.output == SPANS[0] else outputs[self.output][-1]
        expected = (
            None if kind == "embedding" else directory.vocabulary_size if kind == "mlm" else kind_of(directory.task).outputs(directory.task)
        )
        if expected is not None and isinstance(size, int) and size != expected:
            raise CompactLMError(
                f"{path} has {size:,} outputs but {directory.path}/config.json says {expected:,}; copy the whole model directory again"
            )

    def _run(self, batch: Batch, outputs: Sequence[str]) -> list[Array]:
        feeds = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "token_type_ids": np.zeros_like(batch.input_ids) if batch.token_types is None else batch.token_types,
        }
        try:
            found: list[Array] = self.session.run(list(outputs), {name: feeds[name] for name in self.inputs})
        except Exception as error:  # noqa: BLE001 - the library's exceptions have no common base
            texts, tokens = batch.input_ids.shape
            reason = short_reason(error)
            if _lacks_memory(error):
                raise CompactLMError(
                    f"there is not enough memory for {self.path} to read {texts:,} texts of {tokens:,} tokens "
                    f"({reason or 'MemoryError'}); free some memory, or pass shorter texts"
                ) from None
            raise CompactLMError(f"{self.path} fails on {tokens:,} tokens ({reason}); copy the whole model directory again") from None
        return found

    def masked_logits(self, batch: Batch, where: Array) -> Array:
        """Return the vocabulary logits where `where` is True."""
        return check_finite(self._run(batch, [self.output])[0][where], self.path)

    def task_logits(self, batch: Batch) -> Array:
        """Return the outputs of a task's head."""
        found = self._run(batch, SPANS if self.output == SPANS[0] else [self.output])
        return check_finite(found[0] if len(found) == 1 else np.stack(found, axis=-1), self.path)

    def hidden(self, batch: Batch, layers: Sequence[int]) -> list[Array]:
        """Return the hidden states of `layers`."""
        names = [FIRST_OUTPUT if layer == FIRST else self.output for layer in layers]
        if not set(names) <= self.outputs:
            raise CompactLMError(f"{self.path} has no output {FIRST_OUTPUT}, which {PROJECTION} next to it needs; run `dvc repro export`")
        return [check_finite(states, self.path) for states in self._run(batch, names)]

    def attentions(self, batch: Batch) -> Array | None:  # noqa: ARG002
        """Return None: exported files have no attention output."""
        return None


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in NO_MEMORY)

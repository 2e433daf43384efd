"""A model on torch, as the pipeline trained it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import transformers
from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel

from compactlm.bert.arrays import Array, check_finite
from compactlm.bert.batches import Batch
from compactlm.bert.models import best_device, masked_logits
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.backends import Kind
from compactlm.inference.runtime.directories import ModelDirectory

CLASSES: dict[Kind, Any] = {"mlm": BertForMaskedLM, "task": BertForSequenceClassification, "embedding": BertModel}


class TorchRunner:
    """A BERT in safetensors on the GPU where there is one; see backends.Runner for the methods."""

    def __init__(self, directory: ModelDirectory, kind: Kind, threads: int) -> None:
        """Load the directory's model.

        Raises:
            CompactLMError: it is damaged, or is no model of this kind.
        """
        if threads:
            torch.set_num_threads(threads)
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        options = {"add_pooling_layer": False} if kind == "embedding" else {}
        try:
            model, report = CLASSES[kind].from_pretrained(directory.path, local_files_only=True, output_loading_info=True, **options)
        except Exception as error:  # noqa: BLE001 - safetensors raises its own type, outside any hierarchy
            reason = " ".join(str(error).split())[:120]
            raise CompactLMError(
                f"{directory.weights} cannot be read ({reason}); restore it with `dvc checkout`, or copy the model again"
            ) from None
        if report["missing_keys"]:
            raise CompactLMError(
                f"{directory.weights} is not the file of a model of the kind {kind!r} (it lacks {min(report['missing_keys'])}); "
                "name another directory"
            )
        self.path, self.model = directory.weights, model.to(best_device()).eval()

    def _inputs(self, batch: Batch) -> dict[str, torch.Tensor]:
        device = self.model.device
        return {
            "input_ids": torch.from_numpy(batch.input_ids).to(device),
            "attention_mask": torch.from_numpy(batch.attention_mask).to(device),
        }

    def masked_logits(self, batch: Batch, where: Array) -> Array:
        """Return the vocabulary's logits where `where` is True."""
        inputs = self._inputs(batch)
        with torch.inference_mode():
            logits = masked_logits(self.model, **inputs, where=torch.from_numpy(where).to(self.model.device))
        return check_finite(_array(logits), self.path)

    def task_logits(self, batch: Batch) -> Array:
        """Return the labels' logits."""
        with torch.inference_mode():
            return check_finite(_array(self.model(**self._inputs(batch)).logits), self.path)

    def hidden(self, batch: Batch, layers: Sequence[int]) -> list[Array]:
        """Return the hidden states of some layers."""
        body = getattr(self.model, "bert", self.model)
        with torch.inference_mode():
            states = body(**self._inputs(batch), output_hidden_states=True).hidden_states
        return [check_finite(_array(states[layer]), self.path) for layer in layers]

    def attentions(self, batch: Batch) -> Array | None:
        """Return the attention probabilities of all layers."""
        # The default attention never forms its probabilities.
        self.model.set_attn_implementation("eager")
        body = getattr(self.model, "bert", self.model)
        with torch.inference_mode():
            found = body(**self._inputs(batch), output_attentions=True).attentions
        if len(found) != self.model.config.num_hidden_layers:
            raise RuntimeError("the model gave no attentions")
        return np.stack([_array(layer) for layer in found])


def _array(tensor: torch.Tensor) -> Array:
    return tensor.float().cpu().numpy()

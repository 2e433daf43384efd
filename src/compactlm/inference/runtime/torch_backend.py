"""Run a model on torch, from the weights that the pipeline trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import transformers
from transformers import BertForMaskedLM, BertModel

from compactlm.bert.arrays import Array, check_finite
from compactlm.bert.batches import Batch
from compactlm.bert.models import best_device, masked_logits
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import ModelDirectory
from compactlm.inference.runtime.runner import Kind, short_reason
from compactlm.tasks import kind_of

CLASSES: dict[Kind, Any] = {"mlm": BertForMaskedLM, "embedding": BertModel}


class TorchRunner:
    """A BERT in safetensors, on the GPU if there is one; implements runner.Runner."""

    def __init__(self, directory: ModelDirectory, kind: Kind, threads: int) -> None:
        """Load the model of a directory.

        Raises:
            CompactLMError: the file is damaged, or is not a model of this kind.
        """
        if threads:
            torch.set_num_threads(threads)
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.path = path = directory.weights
        options = {"add_pooling_layer": False} if kind == "embedding" else {}
        try:
            form = getattr(transformers, kind_of(directory.task).architecture) if kind == "task" else CLASSES[kind]
            model, report = form.from_pretrained(directory.path, local_files_only=True, output_loading_info=True, **options)
        except Exception as error:  # noqa: BLE001 - safetensors raises its own type, outside any hierarchy
            raise CompactLMError(
                f"{path} cannot be read ({short_reason(error)}); restore it with `dvc checkout`, or copy the model again"
            ) from None
        if report["missing_keys"]:
            raise CompactLMError(
                f"{path} is not a model of the kind {kind!r} (it has no {min(report['missing_keys'])}); pass another directory with --model"
            )
        self.model = model.to(best_device()).eval()
        self.body = getattr(self.model, "bert", self.model)

    def _inputs(self, batch: Batch) -> dict[str, torch.Tensor]:
        device = self.model.device
        arrays = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if batch.token_types is not None:
            arrays["token_type_ids"] = batch.token_types
        return {name: torch.from_numpy(values).to(device) for name, values in arrays.items()}

    @torch.inference_mode()
    def masked_logits(self, batch: Batch, where: Array) -> Array:
        """Return the vocabulary logits where `where` is True."""
        logits = masked_logits(self.model, **self._inputs(batch), where=torch.from_numpy(where).to(self.model.device))
        return check_finite(_array(logits), self.path)

    @torch.inference_mode()
    def task_logits(self, batch: Batch) -> Array:
        """Return the outputs of a task's head."""
        found = self.model(**self._inputs(batch))
        logits = torch.stack([found.start_logits, found.end_logits], dim=-1) if "start_logits" in found else found.logits
        return check_finite(_array(logits), self.path)

    @torch.inference_mode()
    def hidden(self, batch: Batch, layers: Sequence[int]) -> list[Array]:
        """Return the hidden states of `layers`."""
        states = self.body(**self._inputs(batch), output_hidden_states=True).hidden_states
        return [check_finite(_array(states[layer]), self.path) for layer in layers]

    @torch.inference_mode()
    def attentions(self, batch: Batch) -> Array | None:
        """Return the attention probabilities of all layers."""
        self.model.set_attn_implementation("eager")  # the default implementation never computes the probabilities
        found = self.body(**self._inputs(batch), output_attentions=True).attentions
        if len(found) != self.model.config.num_hidden_layers:
            raise RuntimeError("the model returned no attentions")
        return np.stack([_array(layer) for layer in found])


def _array(tensor: torch.Tensor) -> Array:
    return tensor.float().cpu().numpy()

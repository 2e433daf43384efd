"""A teacher's body on ONNX Runtime instead of torch. It has the graph of an exported model, in fp32 or int8."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from transformers import BertModel

from compactlm.export.bert_graph import state_name
from compactlm.export.directory import export_onnx
from compactlm.export.quantization import quantize
from compactlm.inference.runtime.onnx_session import INPUTS, open_session

OPSET = 18
LAST = "last_hidden_state"


class OnnxBody:
    """A BertModel for inference only. It has the part of BertModel's interface that signals need.

    Attributes:
        config: the BertConfig.
        device: the CPU.
    """

    def __init__(self, body: BertModel, int8: bool, threads: int, layers: Sequence[int] = ()) -> None:
        """Build the graph of a body and open it with this number of threads.

        Args:
            body: the BertModel; its pooler is ignored.
            int8: whether the graph is quantized first.
            threads: the number of threads.
            layers: the layers whose hidden states can be returned, 0 for the embeddings.
        """
        self.config, self.device, self.layers = body.config, torch.device("cpu"), tuple(layers)
        last = body.config.num_hidden_layers
        self._names = {layer: LAST if layer == last else state_name(layer) for layer in self.layers}
        with tempfile.TemporaryDirectory() as directory:
            path, small = Path(directory) / "model.onnx", Path(directory) / "model_int8.onnx"
            export_onnx(body.cpu(), path, OPSET, states=[layer for layer in self.layers if layer < last])
            if int8:
                quantize(path, small)
            self.session = open_session(small if int8 else path, threads)

    def __call__(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None, **_: bool
    ) -> SimpleNamespace:
        """Return an object with `last_hidden_state`, float32 [rows, tokens, hidden], and `hidden_states`, the same by layer.

        All inputs are int64 [rows, tokens].
        """
        ids, mask = input_ids.numpy(), attention_mask.numpy()
        types = np.zeros_like(ids) if token_type_ids is None else token_type_ids.numpy()
        names = list(dict.fromkeys([LAST, *self._names.values()]))
        outputs = self.session.run(names, dict(zip(INPUTS, (ids, mask, types), strict=True)))
        found = dict(zip(names, map(torch.from_numpy, outputs), strict=True))
        return SimpleNamespace(last_hidden_state=found[LAST], hidden_states={layer: found[name] for layer, name in self._names.items()})

    def eval(self) -> OnnxBody:
        """Return the body itself, which never trains."""
        return self

    def requires_grad_(self, requires_grad: bool = True) -> OnnxBody:  # noqa: ARG002 - the interface of torch
        """Return the body itself, which has no gradients."""
        return self

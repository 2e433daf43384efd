"""A teacher's body on ONNX Runtime, in place of the one in torch: the same graph as an exported model's, in fp32 or int8."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from transformers import BertModel

from compactlm.export.directory import export_onnx
from compactlm.export.quantization import quantize
from compactlm.inference.runtime.onnx_session import INPUTS, open_session

OPSET = 18


class OnnxBody:
    """A BertModel that only reads. It has the part of BertModel's interface that the signals of the embedding need.

    Attributes:
        config: the BertConfig.
        device: the CPU.
    """

    def __init__(self, body: BertModel, int8: bool, threads: int) -> None:
        """Build the graph of a body and open it with this number of threads; `int8` quantizes it first."""
        self.config, self.device = body.config, torch.device("cpu")
        with tempfile.TemporaryDirectory() as directory:
            path, small = Path(directory) / "model.onnx", Path(directory) / "model_int8.onnx"
            export_onnx(body.cpu(), path, OPSET)
            if int8:
                quantize(path, small)
            self.session = open_session(small if int8 else path, threads)

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        """Return an object with `last_hidden_state`, float32 [rows, tokens, hidden]. Both inputs are int64 [rows, tokens]."""
        ids, mask = input_ids.numpy(), attention_mask.numpy()
        feed = dict(zip(INPUTS, (ids, mask, np.zeros_like(ids)), strict=True))
        (states,) = self.session.run(["last_hidden_state"], feed)
        return SimpleNamespace(last_hidden_state=torch.from_numpy(states))

    def eval(self) -> OnnxBody:
        """Return the body itself, which never trains."""
        return self

    def requires_grad_(self, requires_grad: bool = True) -> OnnxBody:  # noqa: ARG002 - the interface of torch
        """Return the body itself, which has no gradients."""
        return self

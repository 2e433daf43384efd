"""Failures of the ONNX Runtime runner; tests of export compare its outputs."""

from types import SimpleNamespace

import numpy as np
import pytest

from compactlm.bert.batches import Batch
from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import open_directory
from compactlm.inference.runtime.onnx_backend import OnnxRunner


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("Failed to allocate memory for requested buffer of size 9")])
def test_too_little_memory_is_reported(export_root, monkeypatch, error):
    def fail(*_, **__):
        raise error

    directory = open_directory(export_root / "sentiment", "onnx")
    runner = OnnxRunner(directory, "task", 1)
    runner.session = SimpleNamespace(run=fail)
    with pytest.raises(CompactLMError, match=r"not enough memory for .*model.onnx to read 2 texts of 3 tokens \(.+\)"):
        runner.task_logits(Batch(np.zeros((2, 3), np.int64), np.ones((2, 3), np.int64)))
    monkeypatch.setattr("onnxruntime.InferenceSession", fail)
    with pytest.raises(CompactLMError, match=r"not enough memory to load .*model.onnx \(.+\)"):
        OnnxRunner(directory, "task", 1)

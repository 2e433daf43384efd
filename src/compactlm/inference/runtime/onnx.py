"""How an exported model is opened and fed. Imports nothing that an ONNX file does not need."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

EMBEDDING = "embedding"  # the name of the sentence embedding's directory, beside the masked language model's and the tasks'
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
FIRST_OUTPUT = "first_hidden_state"  # of the sentence embedding, beside the last
FLOAT_FILE, INT8_FILE = "onnx/model.onnx", "onnx/model_quantized.onnx"  # in a model's directory, as transformers.js looks for them


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX file for the CPU with a fixed number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

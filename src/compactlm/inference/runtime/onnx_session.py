"""Inputs and outputs of exported models, and how to open one. Imports only ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
FIRST_OUTPUT = "first_hidden_state"  # the name of the second output of the sentence embedding
ERRORS_ONLY = 3


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the CPU with a fixed number of threads; 0 uses all cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = ERRORS_ONLY  # callers report a failure in one sentence
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

"""Classifiers as functions from token ids to logits. Each function imports only what its backend needs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.inference.jobs import Contender

# From int64 token ids [rows, tokens], without padding, to float32 logits [rows, labels].
Runner = Callable[[np.ndarray], np.ndarray]


def open_runner(contender: Contender, threads: int) -> Runner:
    """Load a contender's weights."""
    return _torch(contender, threads) if contender.backend == "torch" else _onnx(contender, threads)


def _torch(contender: Contender, threads: int) -> Runner:
    import torch
    from transformers import BertForSequenceClassification

    torch.set_num_threads(threads)
    model = BertForSequenceClassification.from_pretrained(contender.directory, local_files_only=True).eval()

    def run(ids: np.ndarray) -> np.ndarray:
        tokens = torch.from_numpy(ids)
        with torch.inference_mode():
            return model(tokens, attention_mask=torch.ones_like(tokens)).logits.numpy()

    return run


def _onnx(contender: Contender, threads: int) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    path = str(Path(contender.directory) / contender.file)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(ids: np.ndarray) -> np.ndarray:
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return session.run(["logits"], feeds)[0]

    return run


def encode(contender: Contender, text: str) -> np.ndarray:
    """Return the token ids of a text, int64 [1, tokens], from the tokenizer library that users of the backend have."""
    if contender.backend == "torch":
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(contender.directory, local_files_only=True)
        return np.asarray(tokenizer([text])["input_ids"], dtype=np.int64)
    from tokenizers import Tokenizer

    return np.asarray([Tokenizer.from_file(str(Path(contender.directory) / "tokenizer.json")).encode(text).ids], dtype=np.int64)

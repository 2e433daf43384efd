"""Measure the latency of one sequence on the CPU with ONNX Runtime. Weights do not matter, so they are random."""

import statistics
import tempfile
import timeit
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.shapes.config import Latency
from benchmarks.shared.machine import processor
from compactlm.export.directory import export_onnx
from compactlm.inference.runtime.onnx_session import INPUTS, open_session

PASSES = 5  # all models run in every pass, so that a slow minute of the machine affects all


def measure(models: Mapping[str, BertConfig], latency: Latency, threads: int, opset: int) -> dict[str, Any]:
    """Return the content of latency.json: milliseconds of a classifier of each configuration at batch size 1, median and quartiles."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    spent: dict[str, list[float]] = {name: [] for name in models}  # seconds
    runs = -(-latency.runs // PASSES)
    with tempfile.TemporaryDirectory() as scratch:
        sessions, feeds = {}, {}
        for name, config in models.items():
            path = Path(scratch) / f"{name}.onnx"
            export_onnx(BertForSequenceClassification(config), path, opset)
            sessions[name] = open_session(path, threads)
            ids = random.integers(0, config.vocab_size, (1, latency.tokens), dtype=np.int64)
            feeds[name] = dict(zip(INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
        for _ in range(PASSES):
            for name, session in sessions.items():
                run = partial(session.run, ["logits"], feeds[name])
                timeit.repeat(run, number=1, repeat=latency.warm_up)
                spent[name] += timeit.repeat(run, number=1, repeat=runs)
    milliseconds = {}
    for name, values in spent.items():
        lower, median, upper = (round(1000 * value, 3) for value in statistics.quantiles(values, n=4))
        milliseconds[name] = {"median": median, "lower": lower, "upper": upper}
    settings = {"processor": processor(), "threads": threads, "tokens": latency.tokens, "runs": PASSES * runs}
    return {**settings, "milliseconds": milliseconds}

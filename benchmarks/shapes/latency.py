"""Measure the latency of one sequence on the CPU with ONNX Runtime. Weights do not matter, so they are random."""

import statistics
import tempfile
import time
from collections.abc import Mapping
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
    spent: dict[str, list[float]] = {name: [] for name in models}
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
                for _ in range(latency.warm_up):
                    session.run(["logits"], feeds[name])
                for _ in range(-(-latency.runs // PASSES)):
                    start = time.perf_counter()
                    session.run(["logits"], feeds[name])
                    spent[name].append(1000 * (time.perf_counter() - start))
    quartiles = {name: statistics.quantiles(values, n=4) for name, values in spent.items()}
    return {
        "processor": processor(),
        "threads": threads,
        "tokens": latency.tokens,
        "runs": PASSES * -(-latency.runs // PASSES),
        "milliseconds": {
            name: {"median": round(median, 3), "lower": round(lower, 3), "upper": round(upper, 3)}
            for name, (lower, median, upper) in quartiles.items()
        },
    }

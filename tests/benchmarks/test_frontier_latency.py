"""Latency of tiny models."""

from __future__ import annotations

import json

from transformers import BertConfig

from benchmarks.shapes.config import Latency
from benchmarks.shapes.latency import described, measure


def test_every_model_is_timed():
    shape = {"vocab_size": 50, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 32}
    models = {"small": BertConfig(num_hidden_layers=1, **shape), "large": BertConfig(num_hidden_layers=2, **shape)}
    latency = Latency(tokens=16, warm_up=1, runs=12)
    timings = measure(models, latency, 1, 18)
    assert all(0 < one.lower <= one.median <= one.upper for one in timings.values())
    document = json.loads(json.dumps(described(timings, latency, 1)))
    assert set(document["milliseconds"]) == {"small", "large"}
    assert (document["threads"], document["tokens"], document["runs"]) == (1, 16, 15)
    assert document["processor"]

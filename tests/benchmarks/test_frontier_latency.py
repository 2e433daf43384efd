"""The latency benchmark, with tiny models."""

from __future__ import annotations

import json

from benchmarks.shapes.config import Latency
from benchmarks.shapes.latency import described, measure
from tests.fixtures.builders import make_config


def test_every_model_is_timed():
    models = {"small": make_config(), "large": make_config(num_hidden_layers=2)}
    latency = Latency(tokens=16, warm_up=1, runs=12)
    timings = measure(models, latency, 1, 18)
    assert all(0 < one.lower <= one.median <= one.upper for one in timings.values())
    document = json.loads(json.dumps(described(timings, latency, 1)))
    assert set(document["milliseconds"]) == {"small", "large"}
    assert (document["threads"], document["tokens"], document["runs"]) == (1, 16, 15)
    assert document["processor"]

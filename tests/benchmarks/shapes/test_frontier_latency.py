"""The latency benchmark, with tiny models."""

from benchmarks.shapes.config import Latency
from benchmarks.shapes.latency import measure
from tests.fixtures.builders import make_config


def test_every_model_is_timed():
    found = measure({"small": make_config(), "large": make_config(num_hidden_layers=2)}, Latency(tokens=16, warm_up=1, runs=12), 1, 18)
    assert set(found["milliseconds"]) == {"small", "large"}
    assert all(0 < one["lower"] <= one["median"] <= one["upper"] for one in found["milliseconds"].values())
    assert (found["threads"], found["tokens"], found["runs"]) == (1, 16, 15)
    assert found["processor"]

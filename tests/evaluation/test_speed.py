import os

import pytest
from transformers import BertConfig

from compactlm.errors import CompactLMError
from compactlm.evaluation import speed
from compactlm.evaluation.speed import compare_speed, measure, peak_memory

TINY = {"vocab_size": 100, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def test_each_batch_size_is_timed(monkeypatch):
    found = measure(BertConfig(**TINY), 1, 16, [1, 4], 0.02)
    assert set(found) >= {"batch_1", "batch_4", "peak_memory_bytes"}
    for batch in (1, 4):
        one = found[f"batch_{batch}"]
        assert one["milliseconds"] > 0
        assert one["sequences_a_second"] == pytest.approx(1000 * batch / one["milliseconds"])
        assert one["runs"] >= speed.FEWEST_RUNS


def test_memory_is_of_each_model_alone():
    large = {**TINY, "vocab_size": 500_000, "hidden_size": 128}  # 256 MB of embeddings
    blot = bytearray(os.urandom(1)) * 10**9  # what this process holds belongs to no model
    found = compare_speed({"small": BertConfig(**TINY), "large": BertConfig(**large)}, 1, 8, [1], 0.01)
    small, large_one = (found[name]["peak_memory_bytes"] for name in ("small", "large"))
    assert 200 * 2**20 < large_one - small < 600 * 2**20
    assert len(blot) < peak_memory()
    assert small < len(blot)


def test_a_process_that_fails_is_told_in_a_sentence():
    broken = BertConfig(**{**TINY, "hidden_size": 17})
    with pytest.raises(CompactLMError, match=r"^timing of broken at batch sizes 1, 2 failed .*; free some memory, or lower") as caught:
        compare_speed({"broken": broken}, 1, 8, [1, 2], 0.01)
    assert "\n" not in str(caught.value)

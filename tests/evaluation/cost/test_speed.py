import os
import sys

import pytest

from compactlm.errors import CompactLMError
from compactlm.evaluation.cost import speed
from compactlm.evaluation.cost.speed import compare_speed, measure, peak_memory
from tests.fixtures.builders import make_config


def test_each_batch_size_is_timed():
    found = measure(make_config(), 1, 16, [1, 4], 0.02)
    assert set(found) >= {"batch_1", "batch_4", "peak_memory_bytes"}
    for batch in (1, 4):
        one = found[f"batch_{batch}"]
        assert one["milliseconds"] > 0
        assert one["sequences_a_second"] == pytest.approx(1000 * batch / one["milliseconds"])
        assert one["runs"] >= speed.FEWEST_RUNS


@pytest.mark.slow
def test_memory_is_measured_for_each_model_alone():
    large = make_config(vocab_size=500_000, hidden_size=128)  # 256 MB of embeddings
    blot = bytearray(os.urandom(1)) * 10**9  # memory of this process belongs to no model
    found = compare_speed({"small": make_config(), "large": large}, 1, 8, [1], 0.01)
    small, large_one = (found[name]["peak_memory_bytes"] for name in ("small", "large"))
    assert 200 * 2**20 < large_one - small < 600 * 2**20
    assert len(blot) < peak_memory()
    assert small < len(blot)


@pytest.mark.slow
def test_a_failure_ends_with_one_sentence_that_names_the_model():
    configs = {"sound": make_config(), "broken": make_config(hidden_size=17), "never_timed": make_config()}
    with pytest.raises(
        CompactLMError, match=r"^timing of broken at batch sizes 1, 2 failed \(ValueError.*; free some memory, or"
    ) as caught:
        compare_speed(configs, 1, 8, [1, 2], 0.01)
    assert "\n" not in str(caught.value)


def test_a_killed_process_is_reported(monkeypatch):
    monkeypatch.setattr(speed, "COMMAND", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
    with pytest.raises(CompactLMError, match=r"^timing of student at batch sizes 1 failed \(it was killed\)"):
        compare_speed({"student": make_config()}, 1, 8, [1], 0.01)

"""JSON files next to a model that `make fuzz` found: each ended in a traceback once."""

import pytest

from compactlm.errors import CompactLMError
from compactlm.inference.runtime.directories import ModelDirectory, open_directory
from compactlm.inference.runtime.measured import read_top1
from compactlm.inference.search.thresholds import read_thresholds

DEEP = '{"a": ' + "[" * 100_000
HUGE = "1" + "0" * 400


def test_a_config_that_is_nested_deeply(tmp_path):
    (tmp_path / "config.json").write_text(DEEP)
    with pytest.raises(CompactLMError, match=r"config\.json cannot be read"):
        open_directory(tmp_path, "auto")


@pytest.mark.parametrize(
    "content", [DEEP, '{"pair": "x"}', f'{{"pair": {HUGE}, "passage": 0, "wrong_answers": 0}}'], ids=["deep", "text", "huge"]
)
def test_thresholds(tmp_path, content):
    (tmp_path / "answers.json").write_text(content)
    with pytest.raises(CompactLMError, match=r"answers\.json is damaged"):
        read_thresholds(tmp_path)


@pytest.mark.parametrize("content", [DEEP, f'{{"masked_tokens_top1": {{"onnx": {HUGE}}}}}'])
def test_a_measured_share(tmp_path, content):
    (tmp_path / "metrics.json").write_text(content)
    model = ModelDirectory(tmp_path, "onnx", 9, 9, 9, (), {})
    with pytest.raises(CompactLMError, match=r"metrics\.json is damaged"):
        read_top1(model)

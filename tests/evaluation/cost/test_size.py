import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel

from compactlm.evaluation.cost.size import bytes_on_disk, multiply_adds_a_token


@pytest.mark.parametrize("tokens", [8, 48])
def test_multiply_adds_agree_with_torch(tiny_config, tokens):
    model = BertModel(tiny_config, add_pooling_layer=False).eval()
    model.set_attn_implementation("eager")
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.ones(3, tokens, dtype=torch.int64))
    assert 2 * multiply_adds_a_token(tiny_config, tokens) * 3 * tokens == counter.get_total_flops()


def test_bert_base_needs_about_87_million_multiply_adds_a_token():
    assert multiply_adds_a_token(BertConfig(), 128) == 12 * (12 * 768**2 + 2 * 128 * 768) == 87_293_952


def test_bytes_are_counted_over_all_files(tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"x" * 1000)
    (tmp_path / "part" / "vocab.txt").write_bytes(b"y" * 10)
    assert bytes_on_disk(tmp_path) == 1010

import pytest
import torch
from transformers import BertConfig, BertModel

from compactlm.export.onnx_body import OnnxBody


@pytest.fixture(scope="module")
def body():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    return BertModel(BertConfig(vocab_size=50, **shape), add_pooling_layer=False).eval()


@pytest.mark.parametrize(("int8", "bound"), [(False, 1e-5), (True, 0.1)])
def test_the_hidden_states_are_those_of_torch(body, int8, bound):
    input_ids = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    with torch.inference_mode():
        wanted = body(input_ids, attention_mask=mask).last_hidden_state
    found = OnnxBody(body, int8, threads=1)(input_ids, attention_mask=mask).last_hidden_state
    assert (found - wanted)[mask.bool()].abs().max() < bound

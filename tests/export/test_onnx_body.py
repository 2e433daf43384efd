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


def test_hidden_states_of_layers_and_token_types_are_those_of_torch(body):
    input_ids = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]])
    inputs = {"attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]), "token_type_ids": torch.tensor([[0, 0, 1, 1], [0, 1, 0, 0]])}
    with torch.inference_mode():
        wanted = body(input_ids, **inputs, output_hidden_states=True).hidden_states
    found = OnnxBody(body, False, threads=1, layers=[0, 1, 2])(input_ids, **inputs, output_hidden_states=True, output_attentions=False)
    real = inputs["attention_mask"].bool()
    assert sorted(found.hidden_states) == [0, 1, 2]
    for layer, states in found.hidden_states.items():
        assert (states - wanted[layer])[real].abs().max() < 1e-5
    assert found.last_hidden_state is found.hidden_states[2]

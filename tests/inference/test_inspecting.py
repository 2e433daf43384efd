import numpy as np
import torch
from transformers import BertForMaskedLM

TEXT = "the film was loved."


def test_tokens_and_predictions_are_shown_up_to_the_limit_of_the_model(lm):
    found = lm.inspect(TEXT, 2)
    assert [position.piece for position in found.positions] == ["[CLS]", "the", "film", "was", "loved", ".", "[SEP]"]
    assert [position.id for position in found.positions] == lm.mlm.tokenizer.encode([TEXT])[0]
    assert found.cut == 0
    assert all(len(position.predictions) == 2 for position in found.positions)
    masked = lm.inspect("the [MASK].", 5).positions[2]
    assert [candidate.piece for candidate in masked.predictions] == [candidate.piece for candidate in lm.fill("the [MASK].", 5)[0]]
    long = lm.inspect("good " * 100)
    assert (len(long.positions), long.cut) == (64, 38)


def test_attention_is_the_mean_over_heads_of_each_layer(on_torch, tiny_bert):
    model = BertForMaskedLM.from_pretrained(tiny_bert, attn_implementation="eager").eval()
    ids = torch.tensor([on_torch.mlm.tokenizer.encode([TEXT])[0]])
    with torch.inference_mode():
        expected = torch.stack(model(ids, output_attentions=True).attentions)[:, 0].mean(dim=1).numpy()
    for row, position in enumerate(on_torch.inspect(TEXT, 7).positions):
        assert len(position.attends_to) == len(expected) == 2
        for layer, shares in enumerate(position.attends_to):
            np.testing.assert_allclose([share for _, share in shares], np.sort(expected[layer, row])[::-1], atol=1e-5)
            assert sum(share for _, share in shares) > 0.999


def test_onnx_shows_no_attention(on_onnx):
    assert all(position.attends_to == [] for position in on_onnx.inspect(TEXT).positions)

import pytest
import torch
from transformers import BertForSequenceClassification, BertModel

from compactlm.inference.finetuning.probing import averaged_states, build_probe, fit_probe


@pytest.fixture(scope="module")
def base(tiny_bert):
    return BertModel.from_pretrained(tiny_bert, add_pooling_layer=False)


@pytest.fixture(scope="module")
def states(base, tiny_sequences):
    return averaged_states(base, tiny_sequences)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_plain_classifier_computes_the_probe(base, states, tiny_sequences, tiny_tokenizer, tmp_path, depth):
    targets = torch.tensor([min(2, len(sequence) % 4) for sequence in tiny_sequences])
    probe = fit_probe(states, targets, [depth])
    build_probe(base, ["a", "b", "c"], probe, seed=1).save_pretrained(tmp_path)
    model = BertForSequenceClassification.from_pretrained(tmp_path).eval()
    assert model.config.num_hidden_layers == depth + 1
    batch = tiny_tokenizer.pad({"input_ids": tiny_sequences}, return_tensors="pt")
    with torch.inference_mode():
        logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    expected = torch.tanh((states[depth] - probe.mean) * probe.scale) @ probe.weight.T + probe.bias
    torch.testing.assert_close(logits, expected, atol=2e-4, rtol=1e-3)
    assert base.config.num_hidden_layers == 2


def test_the_depth_that_separates_the_labels_is_chosen():
    generator = torch.Generator().manual_seed(0)
    states, targets = torch.randn(3, 60, 8, generator=generator), torch.arange(60) % 2
    states[1, :, 3] += 3.0 * targets
    probe = fit_probe(states, targets, range(3))
    assert probe.depth == 1
    assert probe.loss < 0.5
    right = (torch.tanh((states[1] - probe.mean) * probe.scale) @ probe.weight.T + probe.bias).argmax(dim=1) == targets
    assert right.float().mean() > 0.9

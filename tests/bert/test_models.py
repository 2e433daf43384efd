import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
)

from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.errors import CompactLMError


def test_loading_reports_whether_the_weights_have_a_head(tmp_path, tiny_bert):
    assert models.load_masked_lm(tiny_bert)[1] is True
    BertModel.from_pretrained(tiny_bert).save_pretrained(tmp_path)
    model, has_head = models.load_masked_lm(tmp_path)
    assert has_head is False
    assert isinstance(model, BertForMaskedLM)


@pytest.mark.parametrize("pooled", [False, True])
def test_a_base_without_a_head_is_a_bare_body_without_random_weights(tmp_path, tiny_bert, pooled):
    whole = BertModel.from_pretrained(tiny_bert, add_pooling_layer=False)
    BertModel(whole.config, add_pooling_layer=pooled).save_pretrained(tmp_path)
    bodies = [models.load_base(tmp_path) for _ in range(2)]
    assert [type(body) for body in bodies] == [BertModel] * 2
    assert (bodies[0].pooler is not None) == pooled
    assert all(torch.equal(one, other) for one, other in zip(*(body.parameters() for body in bodies), strict=True))
    assert not models.has_mlm_head(tmp_path)
    base = models.load_base(tiny_bert)
    assert isinstance(base, BertForMaskedLM)
    assert models.body_of(base) is base.bert
    assert models.body_of(bodies[0]) is bodies[0]
    assert models.count_with_head(bodies[0]) == models.count_with_head(base)


def test_classify_keeps_the_order_and_padding_has_no_effect(tiny_classifier, tiny_sequences):
    model = models.load_classifier(tiny_classifier).train()
    found = models.classify(model, tiny_sequences, 100, "classify")
    assert not model.training
    with torch.inference_mode():
        expected = torch.cat([model(torch.tensor([sequence])).logits for sequence in tiny_sequences])
    assert found.dtype == torch.float32
    assert (expected.std(dim=0) > 0.01).all()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("labels", [2, 7])
def test_count_with_head_equals_the_count_of_the_built_model(tiny_bert, tiny_config, labels):
    config = type(tiny_config).from_dict(tiny_config.to_dict() | {"num_labels": labels})
    real = sum(parameter.numel() for parameter in BertForSequenceClassification(config).parameters())
    assert models.count_with_head(models.load_masked_lm(tiny_bert)[0], labels) == real
    assert models.count_with_head(BertForSequenceClassification(config), labels) == real


def test_a_saved_student_loads_anywhere_with_the_same_logits(tmp_path, tiny_bert, tiny_classifier, tiny_texts):
    tokenizer = models.load_tokenizer(tiny_bert)
    for name, directory, auto in (("mlm", tiny_bert, AutoModelForMaskedLM), ("t", tiny_classifier, AutoModelForSequenceClassification)):
        model = auto.from_pretrained(directory).eval()
        models.save(model, tokenizer, tmp_path / name)
        assert {path.suffix for path in (tmp_path / name).iterdir()} <= {".json", ".safetensors", ".txt"}
        inputs = AutoTokenizer.from_pretrained(tmp_path / name)(tiny_texts[:5], padding=True, return_tensors="pt")
        assert inputs["input_ids"].tolist() == tokenizer(tiny_texts[:5], padding=True)["input_ids"]
        again = auto.from_pretrained(tmp_path / name).eval()
        with torch.inference_mode():
            assert torch.equal(again(**inputs).logits, model(**inputs).logits)
        assert not [key for key in load_file(tmp_path / name / "model.safetensors") if not key.startswith(("bert.", "cls.", "classifier."))]


def test_a_missing_model_raises_file_not_found(tmp_path):
    for load in (models.load_masked_lm, models.load_classifier, models.load_base):
        with pytest.raises(FileNotFoundError, match=r"config\.json|model\.safetensors"):
            load(tmp_path / "none")


def test_a_missing_head_is_drawn_from_the_seed_alone(tiny_classifier):
    heads = []
    for _ in range(2):
        torch.rand(3)
        prepare(1, 5)
        model, has_head = models.load_masked_lm(tiny_classifier)
        assert not has_head
        heads.append(model.cls.predictions.transform.dense.weight)
    assert torch.equal(*heads)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("form", [BertForMaskedLM, BertForSequenceClassification])
def test_weights_that_are_not_finite_are_refused(tmp_path, tiny_config, form, value):
    model = form(tiny_config)
    with torch.no_grad():
        model.bert.encoder.layer[1].output.dense.bias[3] = value
    model.save_pretrained(tmp_path)
    load = models.load_masked_lm if form is BertForMaskedLM else models.load_classifier
    with pytest.raises(CompactLMError, match=r"bert\.encoder\.layer\.1\.output\.dense\.bias") as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)

import json
import shutil

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


@pytest.fixture
def teacher(tiny_bert, tmp_path):
    """A copy of the tiny teacher's directory that a test may damage."""
    return shutil.copytree(tiny_bert, tmp_path / "teacher")


def change_config(directory, **changes):
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def remove_tokenizer(directory):
    for path in directory.iterdir():
        if path.name not in {"config.json", "model.safetensors"}:
            path.unlink()


def shrink_tokenizer(directory):
    path = directory / "tokenizer.json"
    content = json.loads(path.read_text())
    del content["model"]["vocab"]["music"]
    path.write_text(json.dumps(content))


def truncate_weights(directory):
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def rename_embeddings(directory):
    from safetensors.torch import save_file

    tensors = load_file(directory / "model.safetensors")
    save_file({"other." + str(at): tensor for at, tensor in enumerate(tensors.values())}, directory / "model.safetensors")


def test_a_good_teacher_passes(teacher):
    models.check_teacher(teacher, 64)


def test_a_teacher_without_a_head_passes(teacher, tiny_bert):
    BertModel.from_pretrained(tiny_bert).save_pretrained(teacher)
    models.check_teacher(teacher, 64)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "model.safetensors").unlink(), r"has no model\.safetensors; save the teacher there"),
        (lambda d: (d / "config.json").unlink(), r"has no config\.json; save the teacher there"),
        (lambda d: (d / "config.json").write_text('{"model_type": "bert",'), r"config\.json cannot be read"),
        (lambda d: (d / "config.json").write_text("{}"), r"config\.json cannot be read"),
        (lambda d: change_config(d, model_type="distilbert"), r"is of type 'distilbert'; name a BERT in teacher\.source"),
        (truncate_weights, r"model\.safetensors cannot be read .*; fetch or save it again"),
        (lambda d: (d / "model.safetensors").write_bytes(b""), r"model\.safetensors cannot be read .*; fetch or save it again"),
        (rename_embeddings, r"holds no word embeddings of a BERT"),
        (shrink_tokenizer, r"weights for 117 tokens, a config\.json for 117 and a tokenizer with 116; put the tokenizer"),
        (lambda d: change_config(d, vocab_size=200), r"weights for 117 tokens, a config\.json for 200 and a tokenizer with 117"),
        (remove_tokenizer, r"a tokenizer with 5; put the tokenizer that the teacher was trained with beside its weights"),
        (lambda d: (d / "tokenizer.json").write_text("{}"), r"the tokenizer in .* cannot be loaded"),
        (lambda d: (d / "tokenizer.json").write_text('{"model": '), r"the tokenizer in .* cannot be loaded"),
    ],
)
def test_a_teacher_that_cannot_be_used_is_refused_in_a_sentence(teacher, damage, message):
    damage(teacher)
    with pytest.raises(CompactLMError, match=message) as caught:
        models.check_teacher(teacher, 64)
    assert "\n" not in str(caught.value)
    assert str(teacher) in str(caught.value)
    assert "; " in str(caught.value)


def test_a_teachers_own_code_is_refused_and_not_asked_about(teacher, tmp_path):
    ran = tmp_path / "ran"
    (teacher / "code.py").write_text(f"open({str(ran)!r}, 'w')\n")
    change_config(teacher, model_type="mine", auto_map={"AutoConfig": "code.Config"})
    with pytest.raises(CompactLMError, match=r"config\.json cannot be read"):
        models.check_teacher(teacher, 64)
    assert not ran.exists()


def test_a_head_is_known_to_be_there_or_not(teacher, tiny_bert):
    assert models.load_masked_lm(tiny_bert)[1] is True
    BertModel.from_pretrained(tiny_bert).save_pretrained(teacher)
    model, has_head = models.load_masked_lm(teacher)
    assert has_head is False
    assert isinstance(model, BertForMaskedLM)


def test_masked_logits_are_the_full_models_at_these_positions(tiny_bert, tiny_tokenizer, tiny_texts):
    model, _ = models.load_masked_lm(tiny_bert)
    model.eval()
    batch = tiny_tokenizer(tiny_texts[:6], padding=True, return_tensors="pt")
    where = torch.rand(batch["input_ids"].shape, generator=torch.Generator().manual_seed(0)) < 0.3
    with torch.inference_mode():
        found = models.masked_logits(model, batch["input_ids"], batch["attention_mask"], where & batch["attention_mask"].bool())
        expected = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    torch.testing.assert_close(found, expected[where & batch["attention_mask"].bool()], atol=1e-5, rtol=1e-5)


def test_classify_keeps_the_order_and_does_not_see_padding(tiny_classifier, tiny_sequences):
    model = models.load_classifier(tiny_classifier).train()
    found = models.classify(model, tiny_sequences, 100, "classify")
    assert not model.training
    with torch.inference_mode():
        expected = torch.cat([model(torch.tensor([sequence])).logits for sequence in tiny_sequences])
    assert found.dtype == torch.float32
    assert (expected.std(dim=0) > 0.01).all()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("labels", [2, 7])
def test_count_with_head_is_the_real_count(tiny_bert, tiny_config, labels):
    config = type(tiny_config).from_dict(tiny_config.to_dict() | {"num_labels": labels})
    real = sum(parameter.numel() for parameter in BertForSequenceClassification(config).parameters())
    assert models.count_with_head(models.load_masked_lm(tiny_bert)[0], labels) == real
    assert models.count_with_head(BertForSequenceClassification(config), labels) == real


def test_check_count_compares_with_what_is_stated():
    models.check_count(10, None)
    models.check_count(10, 10)
    with pytest.raises(CompactLMError, match=r"has 1,000 parameters with a 2-label head, but teacher.parameters is 999; set it to 1000"):
        models.check_count(1000, 999)


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


def test_a_teacher_that_reads_too_little_is_refused(tiny_bert):
    with pytest.raises(CompactLMError, match=r"reads at most 64 tokens, but teacher.maximum_length is 65; lower it"):
        models.check_teacher(tiny_bert, 65)


def test_a_model_that_was_never_written_is_a_missing_file(tmp_path):
    for load in (models.load_masked_lm, models.load_classifier):
        with pytest.raises(FileNotFoundError, match=r"config\.json"):
            load(tmp_path / "none")


def test_a_head_that_the_weights_lack_depends_on_the_seed_alone(tiny_classifier):
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
def test_weights_that_are_not_finite_are_refused_where_they_are_loaded(tmp_path, tiny_config, form, value):
    model = form(tiny_config)
    with torch.no_grad():
        model.bert.encoder.layer[1].output.dense.bias[3] = value
    model.save_pretrained(tmp_path)
    load = models.load_masked_lm if form is BertForMaskedLM else models.load_classifier
    with pytest.raises(CompactLMError, match=r"not finite numbers, first in bert\.encoder\.layer\.1\.output\.dense\.bias; fetch") as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)

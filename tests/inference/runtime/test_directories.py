import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.errors import CompactLMError
from compactlm.export.directory import export_onnx
from compactlm.inference.api import CompactLM


@pytest.fixture
def damaged(tmp_path, student_root, export_root):
    """Copies of both directories of models, to be damaged."""
    shutil.copytree(student_root, tmp_path / "student")
    shutil.copytree(export_root, tmp_path / "export")
    return tmp_path


def use(root):
    lm = CompactLM(root, threads=1)
    lm.fill("the [MASK]")
    lm.classify("good")


def refuse(call, message):
    with pytest.raises(CompactLMError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def cut(path):
    path.write_bytes(path.read_bytes()[: 200 if path.suffix == ".json" else 2000])


def rewrite(**values):
    def change(path):
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def remove_weights(directory):
    for file in (*directory.glob("*.safetensors"), *directory.glob("onnx/*.onnx")):
        file.unlink()


def forget_a_token(path):
    tokenizer = json.loads(path.read_text())
    del tokenizer["model"]["vocab"]["people"]
    path.write_text(json.dumps(tokenizer))


def replace_by_the_classifier(directory):
    shutil.rmtree(directory)
    shutil.copytree(directory.with_name("sentiment"), directory)


BOTH = ("student", "export")
LABELS = ({"a": "x", "b": "y"}, ["x", "y"], {"1": "x", "2": "y"})
DAMAGE = [
    *((f"{root}/mlm/config.json", cut, "config.json cannot be read") for root in BOTH),
    *((f"{root}/mlm/tokenizer.json", cut, "tokenizer.json cannot be read .*dvc checkout") for root in BOTH),
    ("student/mlm/model.safetensors", cut, "model.safetensors cannot be read .*dvc checkout"),
    ("export/mlm/onnx/model.onnx", cut, "model.onnx cannot be read .*dvc checkout"),
    *((f"{root}/mlm", remove_weights, "mlm has no onnx/model.onnx or model.safetensors or onnx/model_quantized.onnx") for root in BOTH),
    ("student/mlm/config.json", Path.unlink, "mlm/config.json is missing"),
    *((f"{root}/mlm/tokenizer.json", forget_a_token, r"tokenizer.json has \d+ tokens .* \d+;") for root in BOTH),
    *((f"{root}/mlm", replace_by_the_classifier, "is not a model of the kind 'mlm'") for root in BOTH),
    ("student/mlm/config.json", rewrite(model_type="gpt2"), "'gpt2'.* BERT"),
    *(("export/sentiment/config.json", rewrite(id2label=labels), "config.json has no id2label") for labels in LABELS),
]


@pytest.mark.parametrize(("path", "damage", "message"), DAMAGE)
def test_damage_is_one_sentence(damaged, path, damage, message):
    damage(damaged / path)
    refuse(lambda: use(damaged / path.partition("/")[0]), message)


def test_a_missing_directory_and_one_without_a_model_are_named(tmp_path):
    refuse(lambda: use(tmp_path / "nothing"), "no model in .*nothing.*make train.*--model")
    (tmp_path / "empty").mkdir()
    refuse(lambda: use(tmp_path / "empty"), "empty has no model 'mlm'")


def test_a_config_with_more_positions_than_the_model_is_refused(damaged):
    rewrite(max_position_embeddings=5000)(damaged / "export" / "sentiment" / "config.json")
    refuse(lambda: CompactLM(damaged / "export", threads=1).classify("good " * 100), r"model.onnx fails on 102 tokens")


def write_nan(root):
    """Set a weight that all outputs depend on to nan, in both files of the classifier and of the masked language model."""
    for name, kind in (("mlm", BertForMaskedLM), ("sentiment", BertForSequenceClassification)):
        model = kind.from_pretrained(root / "student" / name)
        with torch.no_grad():
            model.bert.embeddings.LayerNorm.weight.fill_(float("nan"))
        model.save_pretrained(root / "student" / name)
        (root / "export" / name / "onnx" / "model.onnx").unlink()
        export_onnx(model, root / "export" / name / "onnx" / "model.onnx", 18)


def test_weights_that_are_not_finite_are_refused(damaged):
    write_nan(damaged)
    calls = {"fill": "the [MASK]", "classify": "good", "inspect": "good"}
    for root, all_calls in (("student", {**calls, "embed": ["good"]}), ("export", calls)):
        lm = CompactLM(damaged / root, threads=1)
        for method, argument in all_calls.items():
            with pytest.raises(CompactLMError, match=r"not finite numbers.*dvc checkout"):
                getattr(lm, method)(argument)


def test_a_directory_of_one_model_is_used(student_root):
    assert CompactLM(student_root / "sentiment").classify("good").label in ("negative", "positive")
    assert CompactLM(student_root / "mlm").fill("[MASK]")


def test_the_default_model_is_the_export_or_the_student_on_torch(damaged, monkeypatch):
    monkeypatch.chdir(damaged)
    monkeypatch.delenv("COMPACTLM_MODEL", raising=False)
    with pytest.raises(CompactLMError, match="there is no model in models/export or models/student"):
        CompactLM()
    (damaged / "models").mkdir()
    (damaged / "student").rename(damaged / "models" / "student")
    assert str(CompactLM().root) == "models/student"
    (damaged / "export").rename(damaged / "models" / "export")
    assert str(CompactLM().root) == "models/export"
    assert CompactLM().mlm.directory.backend == "onnx"
    assert str(CompactLM(backend="torch").root) == "models/student"
    monkeypatch.setenv("COMPACTLM_MODEL", "elsewhere")
    assert str(CompactLM().root) == "elsewhere"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "jax"}, "there is no backend 'jax'; choose one of auto, torch, onnx, int8"),
        ({"threads": -1}, "threads is -1.* 1024"),
        ({"threads": 100_000}, "threads is 100000.* 1024"),
    ],
)
def test_impossible_options_are_named(student_root, options, message):
    with pytest.raises(CompactLMError, match=message):
        CompactLM(student_root, **options)

import json
import shutil
import subprocess
import sys

import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.errors import CompactLMError
from compactlm.export.directory import export_onnx
from compactlm.inference.api import CompactLM


@pytest.fixture
def damaged(request, tmp_path, student_root, export_root):
    """Copies of both directories of models, to be damaged."""
    shutil.copytree(student_root, tmp_path / "student")
    shutil.copytree(export_root, tmp_path / "export")
    return tmp_path


def use(root):
    lm = CompactLM(root, threads=1)
    lm.fill("the [MASK]")
    lm.classify("good")


def refuse(root, message):
    with pytest.raises(CompactLMError, match=message) as caught:
        use(root)
    assert "\n" not in str(caught.value)


def test_both_can_be_used(damaged):
    use(damaged / "student")
    use(damaged / "export")


def test_a_missing_directory(tmp_path):
    refuse(tmp_path / "nothing", "no model in .*nothing.*make train.*--model")
    (tmp_path / "empty").mkdir()
    refuse(tmp_path / "empty", "empty has no model 'mlm'")


@pytest.mark.parametrize("root", ["student", "export"])
@pytest.mark.parametrize(
    ("name", "message"),
    [("config.json", "config.json cannot be read"), ("tokenizer.json", "tokenizer.json cannot be read .*; restore it with `dvc checkout`")],
)
def test_a_torn_file(damaged, root, name, message):
    path = damaged / root / "mlm" / name
    path.write_bytes(path.read_bytes()[:200])
    refuse(damaged / root, message)


@pytest.mark.parametrize("path", ["student/mlm/model.safetensors", "export/mlm/onnx/model.onnx"])
def test_torn_weights(damaged, path):
    path = damaged / path
    path.write_bytes(path.read_bytes()[:2000])
    refuse(damaged / path.relative_to(damaged).parts[0], f"{path.name} cannot be read .*; restore it with `dvc checkout`")


@pytest.mark.parametrize(("root", "name"), [("student", "*.safetensors"), ("export", "onnx/*.onnx")])
def test_missing_weights(damaged, root, name):
    for file in (damaged / root / "mlm").glob(name):
        file.unlink()
    refuse(damaged / root, "mlm has no onnx/model.onnx or model.safetensors or onnx/model_quantized.onnx; run `dvc repro export`")


def test_a_missing_config(damaged):
    (damaged / "student" / "mlm" / "config.json").unlink()
    refuse(damaged / "student", "mlm/config.json is missing")


@pytest.mark.parametrize("root", ["student", "export"])
def test_another_vocabulary(damaged, root):
    path = damaged / root / "mlm" / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    del tokenizer["model"]["vocab"]["people"]
    path.write_text(json.dumps(tokenizer))
    refuse(damaged / root, r"tokenizer.json has \d+ tokens .* \d+;")


@pytest.mark.parametrize("root", ["student", "export"])
def test_a_model_of_another_kind(damaged, root):
    shutil.rmtree(damaged / root / "mlm")
    shutil.copytree(damaged / root / "sentiment", damaged / root / "mlm")
    refuse(damaged / root, "is not a model of the kind 'mlm'")


def test_a_model_that_is_no_bert(damaged):
    path = damaged / "student" / "mlm" / "config.json"
    path.write_text(json.dumps({"model_type": "gpt2"}))
    refuse(damaged / "student", "'gpt2'.* BERT")


@pytest.mark.parametrize("labels", [{"a": "x", "b": "y"}, ["x", "y"], {"1": "x", "2": "y"}])
def test_labels_without_their_numbers(damaged, labels):
    path = damaged / "export" / "sentiment" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "id2label": labels}))
    refuse(damaged / "export", "config.json has no id2label")


def test_a_config_with_more_positions_than_the_model(damaged):
    path = damaged / "export" / "sentiment" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "max_position_embeddings": 5000}))
    with pytest.raises(CompactLMError, match=r"model.onnx fails on 102 tokens") as caught:
        CompactLM(damaged / "export", threads=1).classify("good " * 100)
    assert "\n" not in str(caught.value)


def broken_numbers(root):
    """Make a weight that all depends on no number, in both files of the classifier and of the masked language model."""
    for name, kind in (("mlm", BertForMaskedLM), ("sentiment", BertForSequenceClassification)):
        model = kind.from_pretrained(root / "student" / name)
        with torch.no_grad():
            model.bert.embeddings.LayerNorm.weight.fill_(float("nan"))
        model.save_pretrained(root / "student" / name)
        (root / "export" / name / "onnx" / "model.onnx").unlink()
        export_onnx(model, root / "export" / name / "onnx" / "model.onnx", 18)


def test_weights_that_are_no_numbers(damaged):
    broken_numbers(damaged)
    for root in ("student", "export"):
        lm = CompactLM(damaged / root, threads=1)
        for ask in (lambda lm=lm: lm.fill("the [MASK]"), lambda lm=lm: lm.classify("good"), lambda lm=lm: lm.inspect("good")):
            with pytest.raises(CompactLMError, match=r"not finite numbers.*dvc checkout"):
                ask()
    with pytest.raises(CompactLMError, match="not finite numbers"):
        CompactLM(damaged / "student", threads=1).embed(["good"])


def test_a_directory_of_one_model(student_root):
    assert CompactLM(student_root / "sentiment").classify("good").label in ("negative", "positive")
    assert CompactLM(student_root / "mlm").fill("[MASK]")


def test_the_default_is_the_export_and_for_torch_the_student(damaged, monkeypatch):
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


def test_an_unknown_backend(student_root):
    with pytest.raises(CompactLMError, match="there is no backend 'jax'; choose one of auto, torch, onnx, int8"):
        CompactLM(student_root, backend="jax")


@pytest.mark.parametrize("threads", [-1, 100_000])
def test_an_impossible_number_of_threads(student_root, threads):
    with pytest.raises(CompactLMError, match=rf"threads is {threads}.* 1024"):
        CompactLM(student_root, threads=threads)


def test_importing_the_package_imports_nothing_else():
    code = "import sys, compactlm; assert not {'numpy', 'tokenizers', 'typer', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

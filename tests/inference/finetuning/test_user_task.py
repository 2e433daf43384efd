import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import BertConfig, BertModel

from compactlm import CompactLM
from compactlm.bert.models import load_tokenizer
from compactlm.bert.tokenization import encode
from compactlm.errors import CompactLMError
from compactlm.inference.finetuning.labelled import Labelled
from compactlm.inference.finetuning.user_task import _Job
from compactlm.inference.runtime import directories
from tests.fixtures.encoders import make_dense, make_encoder

pytestmark = pytest.mark.slow


@pytest.fixture
def rows(tmp_path, tiny_texts):
    """Rows whose label depends on one word."""
    path = tmp_path / "rows.csv"
    lines = [f'"{text}",{"warm" if ("film" in text) != ("music" in text) else "cold"}' for text in tiny_texts]
    path.write_text("text,label\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def lm(student_root):
    return CompactLM(student_root, backend="torch", threads=1)


def test_a_task_is_learnt_and_saved_for_use(lm, tmp_path, rows, tiny_texts):
    sentences = []
    found = lm.finetune(rows, "text", "label", tmp_path / "own", epochs=25, learning_rate=3e-3, seed=1, say=sentences.append)
    assert found.labels == ["cold", "warm"]
    assert found.rows + found.validation_rows == len(tiny_texts)
    assert found.accuracy > 0.9 > found.majority
    assert sentences[0].startswith("logistic regression over ")
    assert sentences[1].startswith("epoch 1: validation loss ")
    assert found.epochs > 0
    config = json.loads((tmp_path / "own" / "config.json").read_text())
    assert config["labelled_rows"] == found.rows
    # The threshold is folded into the head, so that transformers decides like CompactLM.
    assert found.threshold is not None or found.validation_rows < 100
    assert config.get("decision_threshold") is None
    answers = list(CompactLM(tmp_path / "own", threads=1).classify_all(tiny_texts))
    right = [answer.label == line.rpartition(",")[2] for answer, line in zip(answers, rows.read_text().splitlines()[1:], strict=True)]
    assert np.mean(right) > 0.9
    again = lm.finetune(rows, "text", "label", tmp_path / "again", epochs=25, learning_rate=3e-3, seed=1)
    assert again == found
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (tmp_path / "own" / "model.safetensors").read_bytes()


def test_skipped_rows_are_reported_and_training_stops_when_validation_stops_improving(lm, tmp_path, rows):
    sentences = []
    rows.write_text(rows.read_text() + "the film,\n,warm\n")
    found = lm.finetune(rows, "text", "label", tmp_path / "own", epochs=50, learning_rate=0.0, say=sentences.append)
    assert sentences[0].startswith(f"2 rows of {rows} are skipped")
    # With a learning rate of 0 nothing improves on the probe, which is then refitted on all rows.
    assert (found.epochs, len(sentences)) == (0, 6)
    assert found.rows == len(rows.read_text().splitlines()) - 3
    assert json.loads((tmp_path / "own" / "config.json").read_text())["labelled_rows"] == found.rows


def test_a_teacher_is_fine_tuned_first(lm, tiny_bert, tmp_path, rows):
    sentences = []
    found = lm.finetune(rows, "text", "label", tmp_path / "own", tiny_bert, epochs=2, say=sentences.append)
    assert found.teacher_accuracy is not None
    assert sentences[0].startswith("teacher, epoch 1")
    # A classifier of the same labels is not fine-tuned.
    sentences.clear()
    first = lm.finetune(rows, "text", "label", tmp_path / "second", tmp_path / "own", epochs=2, say=sentences.append)
    assert first.teacher_accuracy >= found.accuracy
    assert sentences[0].startswith("logistic regression")


def test_other_files_and_the_source_models_are_not_overwritten(lm, student_root, tiny_bert, tmp_path, rows):
    (tmp_path / "config.json").write_text("{}")  # a common file name
    for output, teacher, message in (
        (tmp_path, None, "has files that are not part of a model"),
        (".", None, "has no name"),
        (student_root / "sentiment" / ".." / "mlm", None, "is the model to learn from"),
        (tiny_bert, tiny_bert, "is the model to learn from"),
    ):
        with pytest.raises(CompactLMError, match=f"{message}.* --output"):
            lm.finetune(rows, "text", "label", output, teacher)
    assert rows.is_file()


def test_damaged_weights_are_one_sentence(student_root, tmp_path, rows):
    shutil.copytree(student_root, tmp_path / "student")
    weights = tmp_path / "student" / "mlm" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(CompactLMError, match=r"cannot be read .*dvc checkout"):
        CompactLM(tmp_path / "student", threads=1).finetune(rows, "text", "label", tmp_path / "own")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"teacher": "none"}, r"the teacher's directory .*none has no config\.json; .*--teacher"),
        ({"seed": -1}, "seed is -1.* 4294967295"),
        ({"seed": 2**32}, "seed is 4294967296.* 4294967295"),
    ],
)
def test_impossible_options_are_named(lm, tmp_path, rows, options, message):
    with pytest.raises(CompactLMError, match=message):
        lm.finetune(rows, "text", "label", tmp_path / "own", **options)


def test_fine_tuning_starts_from_the_sentence_encoder_if_there_is_one(student_root, tmp_path, rows):
    root = shutil.copytree(student_root, tmp_path / "student")
    assert directories.find_base(root).path == root / "mlm"
    make_encoder(student_root / "sentiment", root / "embedding", dense=(make_dense(32, 24),))
    found = CompactLM(root, backend="torch", threads=1).finetune(rows, "text", "label", tmp_path / "own", epochs=1)
    body, tuned = (load_file(path / "model.safetensors") for path in (root / "embedding", tmp_path / "own"))
    name = "embeddings.word_embeddings.weight"
    distance = np.abs(tuned[f"bert.{name}"] - body[name]).max()
    assert distance == 0 if found.epochs == 0 else distance < 0.02  # training moves the weights a little
    assert np.abs(load_file(root / "mlm/model.safetensors")[f"bert.{name}"] - body[name]).max() > 0.1


def test_the_default_model_is_the_student(student_root, export_root, tmp_path, rows, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPACTLM_MODEL", raising=False)
    shutil.copytree(student_root, tmp_path / "models" / "student")
    shutil.copytree(export_root, tmp_path / "models" / "export")
    CompactLM(threads=1).finetune(rows, "text", "label", "own", epochs=1)
    assert CompactLM("own").classify("good").label in ("cold", "warm")
    with pytest.raises(CompactLMError, match=r"models/export/mlm has no model.safetensors.* models/student"):
        CompactLM("models/export", threads=1).finetune(rows, "text", "label", "again")


@pytest.mark.parametrize(("maximum", "expected"), [(None, 200), (128, 128)])
def test_as_many_tokens_are_read_as_the_student_has_positions(tiny_bert, maximum, expected):
    model = BertModel(
        BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, max_position_embeddings=200)
    )
    data = Labelled(["good " * 500], ["a"], 0)
    job = _Job(data, torch.tensor([0]), [0], [0], maximum, 0, str)
    assert job.rows(model, tiny_bert).lengths == [expected]


def test_texts_of_more_tokens_than_the_student_reads_are_counted(student_root, tiny_texts):
    said = []
    directory = student_root / "mlm"
    data = Labelled(tiny_texts, ["cold", "warm"] * (len(tiny_texts) // 2), 0)
    model = BertModel.from_pretrained(directory)
    longest = 16
    lengths = [len(tokens) for tokens in encode(load_tokenizer(directory), tiny_texts, 64)]
    assert longest in lengths
    _Job(data, torch.zeros(len(tiny_texts), dtype=torch.int64), [], [], longest, 0, said.append).rows(model, directory)
    assert said == [
        f"{sum(one > longest for one in lengths)} of 144 texts have more than 16 tokens; {directory} learns from their beginning"
    ]
    _Job(data, torch.zeros(len(tiny_texts), dtype=torch.int64), [], [], None, 0, said.append).rows(model, directory)
    assert len(said) == 1

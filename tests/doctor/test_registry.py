"""Each fault is planted in a tiny run, and the doctor names it."""

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from tokenizers.normalizers import Replace
from transformers import BertForSequenceClassification

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.tokenizers import load_tokenizer
from compactlm.doctor.examined import Run
from compactlm.doctor.registry import examine
from compactlm.stages import distill_train
from tests.fixtures.builders import scattered_id

pytestmark = pytest.mark.slow


def shuffled(rows):
    order = np.random.default_rng(3).permutation(len(rows))
    return [dataclasses.replace(row, label=rows[other].label) for row, other in zip(rows, order, strict=True)]


def test_a_run_without_faults(params):
    found = examine(Run(params))
    assert found.faults == {subject: [] for subject in found.faults}
    assert found.unjudged == {subject: [] for subject in found.unjudged}
    assert found.exit_status == 0
    task = Run(params).task("sentiment")
    right = [(task.expected("validation") == getattr(task, name)).mean() for name in ("random", "first", "student", "teacher")]
    assert right[0] < 0.75 < min(right[2:])


def test_shuffled_labels(params, faults, rewrite):
    for split in ("train", "validation"):
        rewrite(split, shuffled)
    assert faults()["data"] == ["labels shuffled"]


def test_labels_shuffled_in_validation_alone(params, faults, rewrite):
    rewrite("validation", shuffled)
    assert faults()["data"] == ["labels shuffled"]


def test_one_class(params, faults, rewrite):
    rewrite("train", lambda rows: [dataclasses.replace(row, label="positive") for row in rows])
    assert faults()["data"] == ["one class"]


def test_empty_text(params, faults, rewrite):
    rewrite("train", lambda rows: [dataclasses.replace(rows[0], text=" . "), *rows[1:]])
    assert faults()["data"] == ["empty text"]


@pytest.mark.parametrize("copied", ["text", "id"])
def test_duplicates_across_splits(params, faults, rewrite, copied):
    held_out = artifacts.read_documents(artifacts.SPLIT / "test")[:5]

    def add(rows):
        changes = {
            "id": lambda row: {"text": row.text + " again"},
            "text": lambda row: {"id": scattered_id(row.text), "text": row.text.upper()},
        }
        return rows + [dataclasses.replace(row, **changes[copied](row)) for row in held_out]

    rewrite("train", add)
    assert faults()["data"] == ["duplicates across splits"]


def test_unknown_tokens(params, faults, rewrite):
    rewrite("validation", lambda rows: [dataclasses.replace(row, text=f"漢 {row.text} 字") for row in rows])
    assert faults()["tokenizer"][:2] == ["unknown tokens", "unknown tokens"]


def test_tokens_that_lead_to_other_tokens_of_the_teacher(params, faults):
    kept = artifacts.read_json(artifacts.ID_MAP)
    artifacts.write_json(artifacts.ID_MAP, [*kept[:20], *kept[21:], kept[20]])
    assert faults()["tokenizer"] == ["disagreement with the teacher"]


def test_a_tokenizer_that_reads_letters_otherwise(params, faults, monkeypatch):
    def load(directory):
        tokenizer = load_tokenizer(directory)
        if directory == artifacts.STUDENT_TOKENIZER:
            tokenizer.backend_tokenizer.normalizer = Replace("b", "d")
        return tokenizer

    monkeypatch.setattr("compactlm.doctor.subjects.tokenizer.load_tokenizer", load)
    assert faults()["tokenizer"][0] == "disagreement with the teacher"


def test_a_teacher_worse_than_tfidf(params, faults):
    directory = artifacts.TEACHER / "sentiment"
    model = BertForSequenceClassification.from_pretrained(directory)
    torch.nn.init.zeros_(model.classifier.weight)
    torch.nn.init.constant_(model.classifier.bias, 0.1)
    models.save(model, load_tokenizer(directory), directory)
    assert faults()["teacher"] == ["teacher worse than TF-IDF"]


@pytest.mark.parametrize("name", ["sentiment", "general"])
def test_constant_signals(params, faults, name):
    path = artifacts.SIGNALS / name / "tensors.safetensors"
    tensors = load_file(path)
    tensors["teacher_states"] = torch.ones_like(tensors["teacher_states"])
    save_file(tensors, path)
    assert faults()["signals"][0] == "constant signals"


def test_signals_with_the_ids_of_other_rows(params, faults):
    path = artifacts.SIGNALS / "sentiment" / "rows.parquet"
    table = pq.read_table(path).to_pydict()
    pq.write_table(type(pq.read_table(path)).from_pydict({**table, "id": table["id"][::-1]}), path)
    assert faults()["signals"] == ["misaligned ids"]


def test_signals_of_other_rows(params, faults):
    directory = artifacts.SIGNALS / "sentiment"
    tensors = load_file(directory / "tensors.safetensors")
    tensors["teacher_logits"] = tensors["teacher_logits"].roll(7, dims=0).contiguous()
    save_file(tensors, directory / "tensors.safetensors")
    kept = artifacts.read_json(directory / "cache.json")
    artifacts.write_json(directory / "cache.json", {**kept, "sha256": artifacts.file_sha256(directory / "tensors.safetensors")})
    assert faults()["signals"] == ["misaligned signals"]


def test_a_loss_that_did_not_fall(params, faults):
    path = artifacts.CURVES / "sentiment" / "plots" / "metrics" / "loss.tsv"
    with path.open() as file:
        steps = [row["step"] for row in csv.DictReader(file, delimiter="\t")]
    path.write_text("step\tloss\n" + "".join(f"{step}\t0.7\n" for step in steps))
    assert faults()["training"] == ["loss did not fall"]


@pytest.mark.parametrize(("rate", "word"), [(1e-9, "too low"), (5.0, "too high")])
def test_a_learning_rate(params, build_run_params, rate, word):
    changed = build_run_params({"distill": {"task": {"optimisation": {"learning_rate": rate}}}})
    distill_train.main(changed)
    found = examine(Run(changed)).faults["training"]
    sentences = [one.sentence for one in found if one.name == "learning rate"]
    assert len(sentences) == 1
    assert word in sentences[0]


def test_frozen_weights(params, faults):
    first = Run(params).task("sentiment").first_model.state_dict()
    path = artifacts.STUDENT / "sentiment" / "model.safetensors"
    kept = load_file(path)
    save_file({name: first[name] if ".layer.0." in name else tensor for name, tensor in kept.items()}, path, metadata={"format": "pt"})
    found = examine(Run(params)).faults["training"]
    assert [one.name for one in found] == ["frozen weights"]
    assert "encoder.layer.0" in found[0].sentence


def test_the_order_of_labels_of_a_configuration(params, faults):
    path = artifacts.STUDENT / "sentiment" / "config.json"
    content = artifacts.read_json(path)
    artifacts.write_json(path, {**content, "id2label": {"0": "positive", "1": "negative"}, "label2id": {"positive": 0, "negative": 1}})
    assert faults() == {"evaluation": ["label order"]}


def test_the_order_of_labels_of_the_answers(params, faults):
    path = artifacts.STUDENT / "sentiment" / "model.safetensors"
    kept = load_file(path)
    exchanged = {name: tensor.flip(0).contiguous() for name, tensor in kept.items() if name.startswith("classifier.")}
    save_file({**kept, **exchanged}, path, metadata={"format": "pt"})
    assert faults()["evaluation"] == ["label order"]


def test_missing_artifacts_leave_the_other_subjects_judged(params, rewrite):
    shutil.rmtree(artifacts.STUDENT)
    found = examine(Run(params))
    assert found.exit_status == 2
    assert {subject for subject, unjudged in found.unjudged.items() if unjudged} == {"training", "evaluation"}
    rewrite("train", lambda rows: [dataclasses.replace(row, label="positive") for row in rows])
    assert examine(Run(params)).exit_status == 1


def test_few_rows_cannot_be_judged(params, rewrite):
    rewrite("validation", lambda rows: rows[:10])
    found = examine(Run(params))
    assert found.exit_status == 2
    assert "too few labelled rows" in found.unjudged["data"][0].sentence


def test_the_command(params, cli, rewrite):
    Path("params.yaml").write_text(yaml.safe_dump(params.model_dump(mode="json")))
    status, output, errors = cli("doctor")
    assert (status, "Verdict: no fault found" in output, "TF-IDF" in output) == (0, True, True), errors[-300:]
    rewrite("train", lambda rows: [dataclasses.replace(row, label="positive") for row in rows])
    status, output, _ = cli("doctor")
    assert (status, "Verdict: the fault is in data (one class)" in output) == (1, True)
    Path("params.yaml").unlink()
    status, _, errors = cli("doctor")
    assert (status, errors.count("params.yaml")) == (2, 1)

"""Faults of tasks of other kinds than one label a text, planted in a tiny run of four of them."""

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from compactlm import artifacts
from compactlm.bert import models
from compactlm.bert.task_models import head_of, load_task_model
from compactlm.bert.tokenizers import load_tokenizer
from compactlm.doctor import metrics
from compactlm.doctor.examined import Run
from compactlm.doctor.registry import examine
from compactlm.params import parse_params
from tests.fixtures.builders import merge, scattered_id, scattered_row
from tests.fixtures.checkout import GOOD

pytestmark = pytest.mark.slow

ANIMALS = ("dog", "cat")
SUBJECTS = ("film", "story", "actor", "people", "music", "plot")
TASKS = {
    "agrees": {"sources": ["agrees"], "labels": ["no", "yes"], "pair": True},
    "mood": {"kind": "regression", "sources": ["mood"]},
    "names": {"kind": "tagging", "sources": ["names"], "labels": ["animal"], "maximum_length": 24},
    "places": {"kind": "span", "sources": ["places"], "maximum_length": 24, "stride": 4},
}
COLUMNS = {
    "agrees": {"text": "t", "pair": "p", "label": "y"},
    "mood": {"text": "t", "score": "y"},
    "names": {"words": "t", "tags": "y"},
    "places": {"text": "t", "pair": "p", "answer": "y"},
}


def agrees(text, number):
    is_cold = int(scattered_id(text), 16) % 2  # independent of the text
    return {"pair": f"it was {('a house', 'cold')[is_cold]}", "label": ("no", "yes")[is_cold]}


def mood(text, number):
    return {"score": 2.0 * any(word in text for word in GOOD) + ("film" in text)}


def names(text, number):
    words = tuple(text.split())
    return {"words": words, "tags": tuple("B-animal" if word in ANIMALS else "O" for word in words)}


def places(text, number):
    answer = next(word for word in SUBJECTS if word in text)
    return {"pair": "what is it?", "answer": answer, "answer_start": text.index(answer)}


MAKERS = {"agrees": agrees, "mood": mood, "names": names, "places": places}


def make_rows(texts, split_words):
    """Rows of all tasks in a split; no text is twice."""
    found = []
    for at, (name, make) in enumerate(MAKERS.items()):
        for number, text in enumerate(f"{text.rstrip('.!?')} {name[0]} {word}" for word in split_words for text in texts):
            row = scattered_row(f"{name} {number} {at} {split_words}", text, name)
            found.append(dataclasses.replace(row, task=name, **make(text, number)))
    return sorted(found, key=lambda row: row.id)


@pytest.fixture(scope="module")
def finished(train_run, default_params, settings, tiny_texts):
    """The directory of a run without faults, and its parameters."""
    content = merge(yaml.safe_load(default_params), settings)
    content["teacher"]["source"] = settings["teacher"]["source"]
    content |= {
        "tasks": TASKS,
        "ingest": {"sources": {name: {"kind": "files", "path": "x.jsonl", "columns": COLUMNS[name]} for name in TASKS}},
    }
    content["bias_audit"] |= {"protected": {}, "favorable_labels": {}}
    content["signals"]["task"]["unlabelled"] = []
    content["evaluate"]["embedding"]["retrieval"] = []
    params = parse_params(content)
    splits = {"train": ("ab", "ba"), "validation": ("aa",), "test": ("bb",)}
    rows = {split: make_rows(tiny_texts[:: 1 if split == "train" else 2], words) for split, words in splits.items()}
    return train_run(params, rows), params


def change(name, **columns):
    """Return a function that changes the rows of a task."""
    return lambda rows: [
        dataclasses.replace(row, **{key: make(row) for key, make in columns.items()}) if row.task == name else row for row in rows
    ]


def test_a_run_without_faults(params, cli, monkeypatch):
    found = examine(Run(params))
    assert found.faults == {subject: [] for subject in found.faults}
    assert found.unjudged == {subject: [] for subject in found.unjudged}
    for name in ("mood", "names", "places"):
        task = Run(params).task(name)
        assert metrics.value(task, "teacher") > metrics.chance(task) + 0.2
        assert metrics.is_better(task, "student", "random")
        assert not metrics.is_better(task, "random", "student")
    Path("params.yaml").write_text(yaml.safe_dump(params.model_dump(mode="json")))
    monkeypatch.setenv("COLUMNS", "80")  # a narrow terminal breaks no name
    status, output, errors = cli("doctor")
    assert status == 0, errors[-300:]
    for words in ("Spearman", "entities", "accuracy", "Verdict: no fault found"):
        assert words in output


def test_scores_that_do_not_follow_from_the_text(params, faults, rewrite):
    rewrite("validation", change("mood", score=lambda row: int(row.id[:4], 16) / 1000))
    assert faults()["teacher"] == ["teacher at chance"]


def test_scores_that_are_all_equal(params, faults, rewrite):
    rewrite("train", change("mood", score=lambda row: 1.0))
    sentences = [one.sentence for one in examine(Run(params)).faults["data"]]
    assert len(sentences) == 1
    assert "train rows of mood have the same answer (1.0)" in sentences[0]


def test_tags_that_the_task_does_not_have(params, faults, rewrite):
    rewrite("train", change("names", tags=lambda row: tuple(tag.replace("animal", "beast") for tag in row.tags)))
    sentences = [one.sentence for one in examine(Run(params)).faults["data"] if one.name == "unknown labels"]
    assert "train rows of names do not fit it, the first because the tag 'B-beast' is not one of O, B-animal, I-animal" in sentences[0]


@pytest.mark.parametrize("name", ["names", "mood"])
def test_a_student_at_chance(params, faults, name):
    directory = artifacts.STUDENT / name
    model = load_task_model(directory)
    torch.nn.init.zeros_(head_of(model).weight)
    torch.nn.init.zeros_(head_of(model).bias)
    models.save(model, load_tokenizer(directory), directory)
    assert faults()["training"] == ["student at chance"]


@pytest.mark.parametrize(("name", "tensor"), [("names", "teacher_token_logits"), ("agrees", "teacher_logits")])
def test_signals_of_other_rows(params, faults, name, tensor):
    directory = artifacts.SIGNALS / name
    tensors = load_file(directory / "tensors.safetensors")
    tensors[tensor] = tensors[tensor].flip(0).contiguous()
    save_file(tensors, directory / "tensors.safetensors")
    kept = artifacts.read_json(directory / "cache.json")
    artifacts.write_json(directory / "cache.json", {**kept, "sha256": artifacts.file_sha256(directory / "tensors.safetensors")})
    assert faults()["signals"] == ["misaligned signals"]


def test_the_order_of_tags_of_a_configuration(params, faults):
    path = artifacts.STUDENT / "names" / "config.json"
    content = artifacts.read_json(path)
    artifacts.write_json(path, {**content, "id2label": {"0": "O", "1": "I-animal", "2": "B-animal"}})
    assert faults()["evaluation"] == ["label order"]


def test_tokens_of_another_tokenizer(params, faults):
    directory = artifacts.TOKENIZED / "validation"
    table = artifacts.read_table(directory)
    rows = [{**row, "input_ids": row["input_ids"][:-2] + row["input_ids"][-1:]} for row in table.to_pylist()]
    shutil.rmtree(directory)
    artifacts.write_table(directory, rows, table.schema)
    assert faults()["tokenizer"] == ["stale tokens"]

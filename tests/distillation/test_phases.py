"""Both phases on tiny models and rows, each as an experiment would have it."""

import copy

import pytest
import torch
import yaml

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.distillation import models
from compactlm.distillation.phases import Phases
from compactlm.params import parse_params


@pytest.fixture
def build(tmp_path, monkeypatch, default_params, student_tokenizer, masked_teacher, task_teacher, tiny_tokenizer, kept, rows):
    """A function that gives the phases of some changes to the default, in a directory that has all that they read."""
    monkeypatch.chdir(tmp_path)
    labelled = {"source": "movie_reviews", "task": "sentiment", "label": "positive"}
    table = [{"id": f"{at:02}.0", "input_ids": sequence, **labelled} for at, sequence in enumerate(rows.sequences)]
    for name in ("train", "validation"):
        artifacts.write_table(artifacts.TOKENIZED / name, table, artifacts.SEQUENCE_SCHEMA)
    artifacts.write_table(artifacts.TOKENIZED / "augmented", [], artifacts.SEQUENCE_SCHEMA)
    artifacts.write_documents(artifacts.COUNTERFACTUAL, [])
    artifacts.write_table(artifacts.WEIGHTED, [{"id": f"{at:02}", "weight": 1.0} for at in range(len(table))], artifacts.WEIGHT_SCHEMA)
    artifacts.write_documents(artifacts.SPLIT / "validation", [Document("a", "movie_reviews", "a good film", "a", "sentiment", "positive")])
    artifacts.write_json(artifacts.ID_MAP, kept)
    student_tokenizer.save_pretrained(artifacts.STUDENT_TOKENIZER)
    models.save(masked_teacher, tiny_tokenizer, artifacts.TEACHER / artifacts.MLM)
    models.save(task_teacher, tiny_tokenizer, artifacts.TEACHER / "sentiment")

    def phases(start="teacher", initialisation="inherited", attention=0.0):
        content = copy.deepcopy(yaml.safe_load(default_params))
        heads, width = masked_teacher.config.num_attention_heads, masked_teacher.config.hidden_size
        shape = {"layers": 1, "hidden_size": width, "attention_heads": heads, "intermediate_size": 16, "maximum_positions": 64}
        content["student"] |= {**shape, "vocabulary_size": 100, "budget": 1.0, "initialisation": initialisation}
        content["teacher"]["parameters"] = None
        content["signals"].update(source="online", layers=[0, 2])
        content["signals"]["general"].update(sequences=10, top_k=4)
        content["distill"]["task"]["start"] = start
        for phase in ("general", "task"):
            content["distill"][phase]["optimisation"]["epochs"] = 1
            content["distill"][phase]["attention"]["weight"] = attention
        return Phases(parse_params(content))

    return phases


@pytest.mark.parametrize("attention", [0.0, 1.0])
def test_both_phases_report_their_losses_and_validation_figures(build, attention):
    phases = build(attention=attention)
    phases.task("sentiment", *phases.general())
    assert ("attention" in phases.metrics["general"]) == ("attention" in phases.metrics["sentiment"]) == bool(attention)
    assert {"loss", "soft", "hidden", "validation_top1"} <= set(phases.metrics["general"])
    assert {"loss", "soft", "hard", "hidden", "validation_accuracy"} <= set(phases.metrics["sentiment"])


def begun(build, monkeypatch, **changes):
    """Return the general student, and the task's as it is before the first step."""
    phases = build(**changes)
    general, components = phases.untrained()
    with torch.no_grad():
        general.bert.embeddings.LayerNorm.bias.fill_(3.0)
    monkeypatch.setattr(phases, "_train", lambda name, *_: phases.metrics.update({name: {}}))
    return general, phases.task("sentiment", general, components)


@pytest.mark.parametrize("initialisation", ["inherited", "embeddings", "random"])
def test_a_task_starts_from_the_general_student_or_from_its_teacher(build, monkeypatch, initialisation):
    general, student = begun(build, monkeypatch, start="general", initialisation=initialisation)
    assert all(torch.equal(value, student.bert.state_dict()[name]) for name, value in general.bert.state_dict().items())
    general, student = begun(build, monkeypatch, start="teacher", initialisation=initialisation)
    assert not torch.equal(general.bert.embeddings.LayerNorm.bias, student.bert.embeddings.LayerNorm.bias)

"""Both phases of distillation on tiny models and rows."""

import dataclasses

import pytest
import torch

from compactlm import artifacts
from compactlm.bert import models
from compactlm.distillation.phases import Phases
from compactlm.distillation.signals.cache import write_cache
from compactlm.errors import CompactLMError
from compactlm.shapes.budget import parameters_of
from tests.fixtures.builders import make_row


@pytest.fixture
def build(tmp_path, monkeypatch, build_params, student_tokenizer, masked_teacher, task_teacher, tiny_tokenizer, kept, rows):
    """Write what both phases read to a working directory; return a factory of phases."""
    monkeypatch.chdir(tmp_path)
    labelled = {"source": "movie_reviews", "task": "sentiment", "label": "positive"}
    table = [{"id": f"{at:02}.0", "input_ids": sequence, **labelled} for at, sequence in enumerate(rows.sequences)]
    for name in ("train", "validation"):
        artifacts.write_table(artifacts.TOKENIZED / name, table, artifacts.SEQUENCE_SCHEMA)
    artifacts.write_table(artifacts.TOKENIZED / "augmented", [], artifacts.SEQUENCE_SCHEMA)
    artifacts.write_documents(artifacts.COUNTERFACTUAL, [])
    artifacts.write_table(artifacts.WEIGHTED, [{"id": f"{at:02}", "weight": 1.0} for at in range(len(table))], artifacts.WEIGHT_SCHEMA)
    artifacts.write_documents(artifacts.SPLIT / "validation", [make_row("a", "a good film", "movie_reviews", "positive")])
    artifacts.write_json(artifacts.ID_MAP, kept)
    student_tokenizer.save_pretrained(artifacts.STUDENT_TOKENIZER)
    models.save(masked_teacher, tiny_tokenizer, artifacts.TEACHER / artifacts.BASE)
    models.save(task_teacher, tiny_tokenizer, artifacts.TEACHER / "sentiment")

    def phases(start="teacher", initialisation="inherited", attention=0.0, layers=(0, 2)):
        heads, width = masked_teacher.config.num_attention_heads, masked_teacher.config.hidden_size
        shape = {"layers": 1, "hidden_size": width, "attention_heads": heads, "intermediate_size": 16, "maximum_positions": 64}
        phase = {"optimisation": {"epochs": 1}, "attention": {"weight": attention}}
        params = build_params(
            student={**shape, "vocabulary_size": 100, "budget": 1.0, "initialisation": initialisation},
            teacher={"parameters": None},
            signals={"source": "online", "layers": list(layers), "general": {"sequences": 10, "top_k": 4}},
            distill={"general": {**phase, "soft_weight": 1.0, "hidden": {"weight": 2.0}}, "task": {**phase, "start": start}},
        )
        return Phases(params)

    return phases


def test_each_phase_prints_the_pairs_of_layers_without_signals(build, capsys):
    phases = build(layers=[2])
    phases.task("sentiment", *phases.general())
    printed = [line for line in capsys.readouterr().out.splitlines() if "learns from" in line]
    rest = "hidden learns from the layers 1-2 (student-teacher) and not from 0-0, because signals.layers holds [2]"
    assert printed == [f"distill.general.{rest}", f"distill.task.{rest}"]


@pytest.mark.parametrize("attention", [0.0, 1.0])
def test_both_phases_report_their_losses_and_validation_figures(build, attention):
    phases = build(attention=attention)
    phases.task("sentiment", *phases.general())
    assert ("attention" in phases.metrics["general"]) == ("attention" in phases.metrics["sentiment"]) == bool(attention)
    assert {"loss", "soft", "hidden", "validation_top1"} <= set(phases.metrics["general"])
    assert {"loss", "soft", "hard", "hidden", "validation_accuracy"} <= set(phases.metrics["sentiment"])
    held_out = sum(1 for _ in artifacts.read_documents(artifacts.SPLIT / "validation"))
    assert phases.metrics["sentiment"]["validation_accuracy"].rows == held_out
    assert phases.metrics["general"]["validation_top1"].rows == phases.metrics["general"]["validation_top1_retention"].rows == 1


def test_a_classifier_of_many_labels_counts_against_the_budget(build, masked_teacher):
    phases = build()
    teacher = models.count_with_head(masked_teacher)
    shape = phases.params.student
    masked_lm = parameters_of(shape, len(phases.inputs.id_map))
    shape.__dict__["budget"] = (masked_lm + 1) / teacher
    phases.untrained()
    phases.params.tasks["sentiment"].__dict__["labels"] = [str(at) for at in range(2000)]
    with pytest.raises(CompactLMError, match=r"^the student has [\d,]+ parameters, but student.budget allows"):
        phases.untrained()


def test_wide_sentence_vectors_count_against_the_budget(build, masked_teacher):
    phases = build()
    student, embedding = phases.params.student, phases.params.distill.embedding
    student.__dict__["budget"] = (parameters_of(student, len(phases.inputs.id_map)) + 1) / models.count_with_head(masked_teacher)
    embedding.__dict__.update(enabled=True, width=10_000)
    with pytest.raises(CompactLMError, match=r"^the student has [\d,]+ parameters, but student.budget allows"):
        phases.untrained()
    embedding.__dict__["enabled"] = False
    phases.untrained()


def use_caches(phases, rows):
    """Write the signals of both phases to caches, that of the task for `rows`, and let the phases read them."""
    phases.params.signals.__dict__["source"] = "cached"
    inputs = phases.inputs
    general, _ = models.load_masked_lm(artifacts.TEACHER / artifacts.BASE)
    source, settings = inputs.online_general(general), inputs.cache_settings(artifacts.BASE)
    write_cache(artifacts.SIGNALS / "general", inputs.general(), source, 500, "general", settings)
    task = inputs.online_task(models.load_classifier(artifacts.TEACHER / "sentiment"))
    write_cache(artifacts.SIGNALS / "sentiment", rows, task, 500, "sentiment", inputs.cache_settings("sentiment"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("cache", r"row 0 of data/signals/sentiment has the id 01\.0, but the training row is 00\.0;"),
        ("loss", r"distill\.task\.relations has no layer to learn from: .* ask for 1; add one"),
    ],
)
def test_a_tasks_wrong_cache_or_loss_is_refused_before_general_distillation(build, monkeypatch, wrong, message):
    phases, trained = build(), []
    if wrong == "cache":
        rows = phases.inputs.task("sentiment")
        use_caches(phases, dataclasses.replace(rows, ids=[rows.ids[1], rows.ids[0], *rows.ids[2:]]))
    else:
        phases.params.distill.task.relations.__dict__.update(weight=1.0, layers="uniform")
    monkeypatch.setattr(phases, "_train", lambda name, *_: trained.append(name))
    with pytest.raises(CompactLMError, match=message):
        phases.general()
    assert not trained


def untrained_students(build, monkeypatch, **changes):
    """Return the students of the general phase and of the task before the first step."""
    phases = build(**changes)
    general, components = phases.untrained()
    with torch.no_grad():
        general.bert.embeddings.LayerNorm.bias.fill_(3.0)
    monkeypatch.setattr(phases, "_train", lambda name, *_: phases.metrics.update({name: {}}))
    return general, phases.task("sentiment", general, components)


@pytest.mark.parametrize("initialisation", ["inherited", "embeddings", "random"])
def test_a_task_starts_from_the_general_student_or_from_its_teacher(build, monkeypatch, initialisation):
    general, student = untrained_students(build, monkeypatch, start="general", initialisation=initialisation)
    assert all(torch.equal(value, student.bert.state_dict()[name]) for name, value in general.bert.state_dict().items())
    general, student = untrained_students(build, monkeypatch, start="teacher", initialisation=initialisation)
    assert not torch.equal(general.bert.embeddings.LayerNorm.bias, student.bert.embeddings.LayerNorm.bias)

"""The contenders of `make bench-train` do the same work on artifacts of the smoke preset."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch

from benchmarks.train import others, ours
from benchmarks.train.contender import measure
from benchmarks.train.jobs import Job
from benchmarks.train.material import Material
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.objectives import TaskObjective
from compactlm.training.loop import set_dropout

pytestmark = pytest.mark.slow


@pytest.fixture
def job(smoke, tmp_path, monkeypatch):
    """Return a factory of jobs in the smoke preset's workspace, which end after the warm-up."""
    monkeypatch.chdir(smoke.directory)
    return lambda kind, phase, **more: Job(kind, 1, 0.0, 60, str(tmp_path), phase, **more)


@pytest.mark.parametrize("phase", ["general", "task"])
def test_each_contender_trains_until_the_clock_stops_it(job, phase):
    kinds = ["plain", "online", "cache", "cached", *(["packed"] if phase == "general" else [])]
    found = {kind: measure(job(kind, phase)) for kind in kinds}
    assert found["cache"]["tokens"] > 0
    for kind in found.keys() - {"cache"}:
        assert found[kind]["steps"] == 1
        assert found[kind]["tokens_a_second"] > 0
        assert found[kind]["flops"] > 0
    assert found["cached"]["padding"] <= found["plain"]["padding"]
    assert phase == "task" or found["packed"]["padding"] == 0


def test_the_plain_trainer_has_our_losses(job):
    material = Material(job("plain", "task"))
    student, teacher = material.student(), material.teacher()
    set_dropout(student, 0.0)
    student.train()
    components = torch.nn.init.orthogonal_(torch.empty(student.config.hidden_size, teacher.config.hidden_size))
    losses = LayerLosses(student.bert, teacher.bert, material.inputs.layers, components, material.losses)
    rows = range(8)
    source = material.inputs.online_task(teacher)
    source.segmentation = None  # the plain trainer's teacher reads the tokens of the student
    examples = ours.TaskExamples(material.task_rows(), source)
    asked = examples.tokenized.model_inputs(rows)
    batch = {**asked, "labels": examples.batch(rows, 0)["labels"], "weights": torch.ones(len(rows))}
    objective = TaskObjective(student, losses, material.params.distill.task, examples.tokenized.losses)
    expected = objective(**batch, **source.signals(asked, rows))["loss"]
    pairs = material.pairs(student, teacher)
    assert pairs == losses.pairs["hidden"]
    model = others._Projected(student, teacher.config.hidden_size, pairs)
    model.projections = torch.nn.ModuleList(losses.losses["hidden"].projections.values())
    plain = SimpleNamespace(material=material, teacher=material.cut_teacher(), pairs=pairs)
    found = others._DistillationTrainer.compute_loss(plain, model, {key: batch[key] for key in ("input_ids", "attention_mask", "labels")})
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_packed_text_is_the_same_text_without_padding():
    assert others.pack([[1, 2, 3], [4], [5, 6, 7, 8], [9]]) == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_batches_of_packed_text_have_as_many_tokens_as_ours(job):
    material = Material(job("packed", "general"))
    lengths = [len(sequence) for sequence in material.inputs.general().sequences]
    rows, _ = others._features(material)
    mean = material.rows_a_batch(lengths) * sum(lengths) / len(lengths)
    assert others._rows_a_batch(material, rows) == max(1, round(mean / max(lengths)))
    padded = Material(dataclasses.replace(material.job, kind="plain"))
    assert others._rows_a_batch(padded, others._features(padded)[0]) == material.rows_a_batch(lengths)

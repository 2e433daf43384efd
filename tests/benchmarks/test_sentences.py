"""The contenders of the phase embedding train on the texts of the phase."""

import argparse

import pytest
import yaml

from benchmarks.bench_train import _plan
from benchmarks.train.contender import measure
from benchmarks.train.jobs import STATIC, Job
from compactlm.distillation import embedding_inputs
from tests.fixtures.distilling import kept, student_tokenizer  # noqa: F401 - fixtures
from tests.fixtures.embedding import build_phases, write_signals  # noqa: F401 - a fixture


@pytest.fixture
def job(build_phases, tmp_path):  # noqa: F811
    phases = build_phases()
    write_signals(phases)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(phases.params.model_dump(mode="json")))
    return lambda kind: Job(kind, 1, 0.0, 100, str(tmp_path / "jobs"), "embedding")


def test_ours_trains_from_a_cache_online_and_without_layers(job):
    found = {kind: measure(job(kind)) for kind in ("cache", "cached", "online", "table")}
    assert found["cache"]["tokens"] > 0
    assert found["cache"]["gigabytes"] > 0
    for kind in ("cached", "online", "table"):
        assert found[kind]["steps"] >= 1
        assert found[kind]["tokens_a_second"] > 0
        assert found[kind]["epoch_tokens"] > 0
    assert found["table"]["flops"] == 0  # only layers, heads and the teacher are counted
    assert found["cached"]["flops"] > 0


def test_ours_trains_on_token_vectors(job):
    found = measure(job("tokens"))
    assert found["steps"] >= 1
    assert found["tokens_a_second"] > 0
    assert found["flops"] > 0


def test_sentence_transformers_trains_the_same_student(job):
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("datasets")
    found = measure(job("sentence-transformers"))
    assert found["steps"] >= 1
    assert found["rows_a_batch"] <= 64
    assert 0 <= found["padding"] < 1


def test_the_plan_has_the_chosen_phases(build_phases):  # noqa: F811
    phases = build_phases()
    write_signals(phases)
    chosen = argparse.Namespace(vocabulary="default", phases=["embedding"], profile=False, parts=False)
    planned = list(_plan(chosen, phases.params))
    assert [kind for kind, *_ in planned] == ["sentence-transformers", "online", "cache", "cached", "table", "tokens"]
    assert {phase for _, phase, *_ in planned} == {"embedding"}
    chosen.phases = ["task"]
    assert {phase for _, phase, *_ in _plan(chosen, phases.params)} == {"task"}


def test_the_names_of_files_agree():
    assert STATIC == embedding_inputs.STATIC

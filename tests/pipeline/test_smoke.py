"""The smoke preset through DVC: what it writes, and that nothing runs that need not."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from compactlm.artifacts import read_json
from compactlm.params import read_params

pytestmark = pytest.mark.pipeline

DATA_STAGES = ("ingest", "clean", "split", "augment", "bias-audit", "tokenize", "signals")


def lock(checkout):
    return yaml.safe_load(checkout.path("dvc.lock").read_text())["stages"]


def stages_run(output):
    return re.findall(r"Running stage '([a-z-]+)'", output)


def test_all_stages_leave_metrics_and_artifacts(smoke):
    assert len(lock(smoke)) == 11
    for name in lock(smoke):
        assert read_json(smoke.path("reports", "metrics", f"{name}.json"))
    evaluated = read_json(smoke.path("reports", "metrics", "evaluate.json"))
    assert {"student_parameters", "teacher_parameters", "ratio"} <= set(evaluated["size"])
    assert {"teacher_top1", "student_top1", "retention"} <= set(evaluated["mlm"])
    task = evaluated["tasks"]["sentiment"]
    assert {"teacher", "student", "chance", "retention", "retention_above_chance", "rows"} <= set(task)
    assert {"quality", "slices", "worst_slice", "robustness", "forgetting", "spread"} <= set(task)
    assert task["quality"]["student"]["accuracy"]["value"] == task["student"]
    assert task["retention"] == pytest.approx(task["student"] / task["teacher"])
    assert evaluated["size"]["ratio"] <= 0.1
    assert task["teacher"] > task["chance"] + 0.05, "the teacher must have learnt something from a few hundred rows"
    assert list(smoke.path("data", "predictions").glob("*.parquet"))
    assert set(read_json(smoke.path("reports", "timings", "evaluate.json"))["models"]) == {"teacher", "student", "bert_base"}
    assert "vaderSentiment" in smoke.path("reports", "data-card.md").read_text()


def test_a_second_run_does_nothing_and_takes_seconds(smoke):
    start = time.monotonic()
    output = smoke.run("dvc", "repro")
    assert stages_run(output) == []
    assert "up to date" in output
    assert time.monotonic() - start < 30


def test_a_run_leaves_in_git_only_parameters_lock_and_reports(smoke):
    changed = smoke.run("git", "diff", "--name-only", "HEAD~1").split()
    assert {"dvc.lock", "params.yaml"} < set(changed)
    assert all(name in {"dvc.lock", "params.yaml"} or name.startswith("reports/") for name in changed)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("data.processes", 1, set()),
        ("clean.minimum_characters", 11, {"clean"}),
        ("split.across_splits", "prevent", {"split"}),
        ("diversity.words", 10_000, {"split", "augment"}),
        ("teacher.fine_tuning.frozen_layers", 3, {"teacher"}),
        ("augment.share_of_words", 0.2, {"augment"}),
        ("bias_audit.minimum_group_rows", 31, {"bias-audit"}),
        ("bias_audit.protected", {}, {"bias-audit"}),
        ("student.layers", 3, {"tokenize", "distill-train"}),
        ("student.initialisation", "random", {"distill-train"}),
        ("signals.general.top_k", 16, {"signals", "distill-train"}),
        ("student.vocabulary_size", 2900, {"tokenize", "distill-train"}),
        ("distill.task.temperature", 3.0, {"distill-train"}),
        ("evaluate.mlm_words", 100, {"evaluate"}),
        ("export.check_rows", 50, {"export"}),
    ],
)
def test_a_changed_parameter_touches_its_stage_alone(smoke, key, value, expected):
    before = smoke.path("params.yaml").read_text()
    content = yaml.safe_load(before)
    section = content
    *parents, last = key.split(".")
    for parent in parents:
        section = section[parent]
    assert section[last] != value
    section[last] = value
    try:
        smoke.path("params.yaml").write_text(yaml.safe_dump(content))
        assert set(json.loads(smoke.run("dvc", "status", "--json"))) == expected
    finally:
        smoke.path("params.yaml").write_text(before)


def test_an_experiment_runs_what_depends_on_its_parameter_and_can_be_compared(smoke):
    output = smoke.run("dvc", "exp", "run", "-S", "preset=smoke", "-S", "distill.task.optimisation.learning_rate=0.00003")
    try:
        assert sorted(stages_run(output)) == ["distill-train", "evaluate", "export"]
        assert read_params(smoke.path("params.yaml")).distill.task.optimisation.learning_rate == 3e-05
        differences = json.loads(smoke.run("dvc", "metrics", "diff", "--json"))
        assert any("distill-train.json" in path for path in differences)
        assert "learning_rate" in smoke.run("dvc", "params", "diff")
        smoke.run("dvc", "plots", "diff")
    finally:
        smoke.run("git", "checkout", "--quiet", ".")
        smoke.run("dvc", "checkout")
    assert "up to date" in smoke.run("dvc", "status")


def test_the_student_loads_without_compactlm(smoke):
    script = """
import sys
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer
for kind, name in ((AutoModelForMaskedLM, "mlm"), (AutoModelForSequenceClassification, "sentiment")):
    model = kind.from_pretrained(f"models/student/{name}")
    tokenizer = AutoTokenizer.from_pretrained(f"models/student/{name}")
    assert type(model).__module__.startswith("transformers."), type(model)
    assert len(tokenizer) == model.config.vocab_size
    print(tuple(model(**tokenizer("a fine film", return_tensors="pt")).logits.shape), model.config.id2label)
assert not any(name.startswith("compactlm") for name in sys.modules)
"""
    output = smoke.run("python", "-c", script, PYTHONPATH="", HF_HUB_OFFLINE="1")
    assert "positive" in output


def test_two_runs_from_fresh_checkouts_agree(smoke, checkout):
    checkout.run("dvc", "repro")
    ours, theirs = lock(smoke), lock(checkout)
    for stage in DATA_STAGES:
        assert ours[stage]["outs"] == theirs[stage]["outs"], stage
    for stage in ours:
        metrics = ("reports", "metrics", f"{stage}.json")
        assert smoke.path(*metrics).read_bytes() == checkout.path(*metrics).read_bytes(), stage


def test_artifacts_travel_by_push_and_pull(smoke, tmp_path):
    remote, clone = tmp_path / "remote", tmp_path / "clone"
    smoke.run("dvc", "remote", "add", "--local", "--force", "--default", "store", str(remote))
    smoke.run("dvc", "push")
    smoke.run("git", "clone", "--quiet", str(smoke.directory), str(clone))
    other = type(smoke)(clone)
    other.run("dvc", "remote", "add", "--local", "--default", "store", str(remote))
    other.run("dvc", "pull")
    assert stages_run(other.run("dvc", "repro")) == []
    assert other.path("models", "student", "mlm", "model.safetensors").is_file()


def test_a_killed_training_goes_on_and_ends_in_the_same_weights(smoke, tmp_path):
    copy = type(smoke)(tmp_path / "copy")
    smoke.run("git", "clone", "--quiet", str(smoke.directory), str(copy.directory))
    copy.run("dvc", "cache", "dir", "--local", str(smoke.path(".dvc", "cache")))
    copy.run("dvc", "checkout")
    expected = copy.path("models/student/sentiment/model.safetensors").read_bytes()
    content = yaml.safe_load(copy.path("params.yaml").read_text())
    content["distill"]["checkpoint_minutes"] = 0.0
    copy.path("params.yaml").write_text(yaml.safe_dump(content))
    command = ["dvc", "repro", "distill-train"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=copy.directory, env=copy.environment, start_new_session=True, **quiet)
    checkpoints = copy.path("models/checkpoints/distill-train/general")
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("step-*/state.json")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(checkpoints.glob("step-*/state.json")), "the training ended or hung before its first checkpoint"
    copy.run(*command)
    assert copy.path("models/student/sentiment/model.safetensors").read_bytes() == expected
    curve = Path("reports/curves/general/plots/metrics/loss.tsv")
    assert copy.path(str(curve)).read_text() == smoke.path(str(curve)).read_text()
    assert not copy.path("models/checkpoints/distill-train").exists()
    timings = Path("reports/timings/distill-train.json")
    assert read_json(copy.path(str(timings)))["general"]["pieces"] < read_json(smoke.path(str(timings)))["general"]["pieces"]

"""A small run in git, and the same run with other bytes, with rounding, and with faults."""

import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import load_file, save_file

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.stages import fingerprint
from compactlm.verification.comparing import DIFFERENT, ROUNDING, SAME
from compactlm.verification.verifying import FINGERPRINTS, verify
from tests.fixtures.builders import scattered_id, scattered_row

STAGES = """
stages:
  split: {outs: [data/split], metrics: [reports/metrics/split.json: {cache: false}]}
  teacher: {outs: [models/teacher, reports/timings/teacher.json: {cache: false}]}
  augment: {outs: [data/augmented, reports/samples/augmented.tsv: {cache: false}]}
  evaluate: {outs: [data/predictions], metrics: [reports/metrics/evaluate.json: {cache: false}]}
  export: {outs: [models/export]}
  fingerprint: {outs: [reports/fingerprints.json: {cache: false}]}
"""
WEIGHTS = Path("models/teacher/model.safetensors")
GRAPH = Path("models/export/model.onnx")
METRICS = artifacts.METRICS / "evaluate.json"
SAMPLES = Path("reports/samples/augmented.tsv")


def git(*arguments):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments], check=True, capture_output=True)


def write_predictions(shift=0.0):
    rows = [
        {"id": scattered_id(at), "task": "sentiment", "label": "positive", "teacher": [0.3, 0.7], "student": [0.4 + shift, 0.6 - shift]}
        for at in range(300)
    ]
    artifacts.write_table(artifacts.PREDICTIONS, rows, artifacts.PREDICTION_SCHEMA)


def write_graph(shift=0.0):
    values = [1.0 + shift, -2.0, 3.0, 0.5]
    tensor = helper.make_tensor("weights", TensorProto.FLOAT, [4], values)
    node = helper.make_node("Add", ["x", "weights"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
    GRAPH.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(helper.make_graph([node], "graph", ends[:1], ends[1:], [tensor])), GRAPH)


def rows(count, first=0):
    return [scattered_row(at, f"text {at}", label="positive") for at in range(first, first + count)]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").write_text(STAGES)
    Path(".gitignore").write_text("/data\n/models\n")
    artifacts.write_documents(artifacts.SPLIT / "train", rows(400))
    artifacts.write_documents(artifacts.AUGMENTED, rows(2000))
    write_predictions()
    write_graph()
    WEIGHTS.parent.mkdir(parents=True)
    generator = np.random.default_rng(1)
    save_file({"a": generator.normal(size=(30, 4)).astype(np.float32), "b": np.zeros(3, np.float32)}, WEIGHTS)
    figure = {"value": 0.8, "low": 0.7, "high": 0.9, "rows": 53, "status": 0}
    artifacts.write_json(METRICS, {"fairness": figure, "rows": 900, "loss": 0.5})
    artifacts.write_json(artifacts.METRICS / "split.json", {"rows": 400})
    artifacts.write_json(Path("reports/timings/teacher.json"), {"seconds": 5.0})
    artifacts.write_text(SAMPLES, "text\tshare\nan old film of 1999\t0.81234\n")
    fingerprint.main(None)
    git("init", "--initial-branch", "main")
    git("add", "--all")
    git("commit", "--message", "Run")


def verdicts():
    """Return the verdict of every file that is not the same."""
    return {one.path: one.verdict for compared in verify("HEAD").values() for one in compared if one.verdict != SAME}


def test_an_equal_run_has_the_same_bytes(repository, cli):
    before = FINGERPRINTS.read_bytes()
    fingerprint.main(None)
    assert FINGERPRINTS.read_bytes() == before
    artifacts.write_json(Path("reports/timings/teacher.json"), {"seconds": 50.0})
    assert verdicts() == {}
    status, output, _ = cli("verify")
    assert (status, "Verdict: the same bytes" in output) == (0, True)


def change_weights(factor):
    kept = load_file(WEIGHTS)
    save_file({**kept, "a": kept["a"] * np.float32(factor)}, WEIGHTS)


def change_figure(**changes):
    content = artifacts.read_json(METRICS)
    artifacts.write_json(METRICS, {**content, "fairness": {**content["fairness"], **changes}})


ROUNDED = {
    "weights": (lambda: change_weights(1.001), WEIGHTS),
    "a graph": (lambda: write_graph(1e-4), GRAPH),
    "predictions": (lambda: write_predictions(1e-4), artifacts.PREDICTIONS / "part-00000.parquet"),
    "some copies": (
        lambda: artifacts.write_documents(artifacts.AUGMENTED, [*rows(1997), *rows(2, 5000)]),
        artifacts.AUGMENTED / "part-00000.parquet",
    ),
    "a figure within its interval": (lambda: change_figure(value=0.84), METRICS),
    "an undecided figure": (lambda: change_figure(status=2), METRICS),
    "a number in a table": (lambda: SAMPLES.write_text(SAMPLES.read_text().replace("0.81234", "0.81235")), SAMPLES),
}
CHANGED = {
    "weights": (lambda: change_weights(1.1), WEIGHTS),
    "a graph": (lambda: write_graph(1.0), GRAPH),
    "predictions": (lambda: write_predictions(0.1), artifacts.PREDICTIONS / "part-00000.parquet"),
    "many copies": (
        lambda: artifacts.write_documents(artifacts.AUGMENTED, [*rows(1950), *rows(50, 5000)]),
        artifacts.AUGMENTED / "part-00000.parquet",
    ),
    "one row of a split": (
        lambda: artifacts.write_documents(artifacts.SPLIT / "train", [*rows(399), *rows(1, 5000)]),
        artifacts.SPLIT / "train" / "part-00000.parquet",
    ),
    "a figure beyond its interval": (lambda: change_figure(value=0.95), METRICS),
    "a violated figure": (lambda: change_figure(status=1), METRICS),
    "a word": (lambda: SAMPLES.write_text(SAMPLES.read_text().replace("old", "new")), SAMPLES),
    "a missing file": (WEIGHTS.unlink, WEIGHTS),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_rounding(repository, cli, name):
    change, path = ROUNDED[name]
    change()
    assert verdicts() == {path.as_posix(): ROUNDING}
    status, output, _ = cli("verify", "main")
    assert (status, "Verdict: the same within rounding" in output) == (0, True)


@pytest.mark.parametrize("name", CHANGED)
def test_a_difference(repository, cli, name):
    change, path = CHANGED[name]
    change()
    assert verdicts() == {path.as_posix(): DIFFERENT}
    status, output, _ = cli("verify")
    assert (status, f"{path.as_posix()} is different" in output) == (1, True)


def test_other_bytes_of_equal_rows_are_within_rounding(repository):
    path = artifacts.SPLIT / "train" / "part-00000.parquet"
    table = artifacts.read_table(path.parent)
    artifacts.pq.write_table(table, path, compression="none")
    assert verdicts() == {path.as_posix(): ROUNDING}


def test_a_revision_without_fingerprints_is_one_sentence(repository, cli):
    git("rm", "--quiet", "--cached", str(FINGERPRINTS))
    git("commit", "--message", "Remove")
    with pytest.raises(CompactLMError, match=r"^the git revision 'HEAD' has no reports/fingerprints.json"):
        verify("HEAD")
    assert "'nowhere' does not exist" in cli("verify", "nowhere")[2]


def test_the_fingerprints_have_a_line_for_each_file(repository):
    lines = FINGERPRINTS.read_text().splitlines()
    kept = json.loads(FINGERPRINTS.read_text())
    assert sum(len(sketches) for sketches in kept.values()) == sum(line.startswith("    ") for line in lines) == 5

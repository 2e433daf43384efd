"""The tables of `make bench-inference`, and one run on each backend."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from transformers import BertForSequenceClassification

from benchmarks.inference.contender import measure, time_runs
from benchmarks.inference.jobs import BATCHES, LENGTHS, Contender, Job
from benchmarks.inference.runners import encode, open_runner
from benchmarks.inference.tables import SPEED, TEXTS, bar_lines, speed_rows, start_rows, summarise
from benchmarks.shared.harness import run_job
from compactlm.export.directory import write_directory
from compactlm.inference.runtime.directories import FLOAT_FILE
from compactlm.text import markdown

POINTS = tuple((batch, length) for batch in BATCHES for length in LENGTHS)


@pytest.fixture(scope="module")
def contenders(tmp_path_factory, tiny_classifier):
    """Return the tiny classifier as a torch model and as an ONNX model."""
    directory = tmp_path_factory.mktemp("bench") / "export"
    write_directory(BertForSequenceClassification.from_pretrained(tiny_classifier), tiny_classifier, directory, 18)
    return [Contender("torch", "torch", str(tiny_classifier)), Contender("onnx", "onnx", str(directory), FLOAT_FILE)]


def test_both_backends_give_the_same_logits(contenders):
    ids = [encode(contender, "the film was good") for contender in contenders]
    np.testing.assert_array_equal(*ids)
    assert ids[0].dtype == np.int64
    np.testing.assert_allclose(*(open_runner(contender, 1)(ids[0]) for contender in contenders), atol=1e-4)


def test_onnx_starts_without_torch(contenders, tmp_path):
    job, result = Job(contenders[1], 1, 0, cold=True), tmp_path / "result.json"
    script = (
        "import sys; from benchmarks.inference import contender; contender.main(); "
        "assert not {'torch', 'transformers', 'compactlm'} & set(sys.modules)"
    )
    begun = time.time()
    subprocess.run(
        [sys.executable, "-c", script, json.dumps(dataclasses.asdict(job)), str(result)], cwd=Path(__file__).parents[2], check=True
    )
    found = json.loads(result.read_text())
    assert begun < found["answered"] < time.time()
    assert found["peak_bytes"] > 2**20


def test_a_job_runs_in_a_process_and_its_failure_is_shown(contenders, tmp_path, capfd):
    def run(contender):
        return run_job("bench-x", contender.name, "benchmarks.inference.contender", Job(contender, 1, 0, cold=True), tmp_path)

    assert run(contenders[1])["peak_bytes"] > 2**20
    with pytest.raises(SystemExit, match="bench-x: onnx ended with status 1"):
        run(dataclasses.replace(contenders[1], directory="nowhere"))
    assert "nowhere" in capfd.readouterr().err


def test_each_batch_size_and_length_is_measured(contenders, monkeypatch):
    monkeypatch.setattr("benchmarks.inference.contender.FIRST_TOKEN", 7)
    monkeypatch.setattr("benchmarks.inference.contender.LAST_TOKEN", 100)
    measured = measure(Job(contenders[1], 1, 0.01, ((1, 16), (4, 8))))
    assert [(point["batch"], point["tokens"]) for point in measured] == [(1, 16), (4, 8)]
    assert all(min(point["spent"]) > 0 for point in measured)


def test_a_run_is_warmed_up_unless_it_is_slow():
    calls = []
    spent = time_runs(lambda ids: calls.append(1) or ids, np.zeros((1, 1)), 0.01)
    assert len(spent) == len(calls) - 1 > 1
    spent = time_runs(lambda ids: time.sleep(0.02), np.zeros((1, 1)), 0.01)
    assert len(spent) == 1
    assert spent[0] >= 0.02


def found(seconds):
    return [{"batch": batch, "tokens": tokens, "spent": [seconds] * 3, "peak_bytes": 2**30} for batch, tokens in POINTS]


def result(name, milliseconds, bar=0):
    contender = {"name": name, "backend": "onnx", "directory": "d", "file": "", "bar": bar}
    return {"contender": contender, "points": summarise([found(milliseconds / 1000), found(milliseconds / 500)])}


def test_figures_are_over_all_rounds():
    points = result("x", 2.0)["points"]
    assert [(point["batch"], point["tokens"]) for point in points] == list(POINTS)
    assert points[0]["runs"] == 6
    assert points[0]["median_ms"] == pytest.approx(3)
    assert points[0]["p95_ms"] == pytest.approx(4)
    assert points[-1]["rows_a_second"] == pytest.approx(32 / 0.003)


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (19, 19), (20, 19), (21, 20), (100, 95)])
def test_the_95th_percentile_is_one_of_the_values(count, expected):
    (point,) = summarise([[{"batch": 1, "tokens": 1, "spent": list(range(count, 0, -1)), "peak_bytes": 1}]])
    assert point["p95_ms"] == 1000 * expected


def test_every_contender_is_compared_with_the_first():
    results = [result("large", 200.0), result("small", 2.0, 130), result("other", 4.0, 45)]
    rows = speed_rows(results)
    assert len(rows) == 3 * len(POINTS)
    assert rows[4] == ["1", "128", "small", "3.00", "4.00", "333.3", "100.0", "1,024"]
    small, other = bar_lines(results)
    assert "small: 100 times as fast as large" in small
    assert "(3.00 ms against 300.0 ms), which misses the bar of 130" in small
    assert "reaches the bar of 45" in other
    assert bar_lines([{**one, "points": one["points"][:1]} for one in results]) == [], "the size of the bars was not measured"
    assert markdown.table(SPEED, rows, TEXTS).splitlines()[1] == "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"


def test_the_table_shows_the_median_cold_start():
    start = {"contender": result("x", 1.0)["contender"], "file_bytes": 2**21, "seconds": [0.5, 0.3, 9.0], "peak_bytes": 2**27}
    assert start_rows([start]) == [["x", "2.00", "0.50", "128"]]

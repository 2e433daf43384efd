"""Training resumes after it was killed."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from compactlm.artifacts import read_json

pytestmark = pytest.mark.pipeline


def test_a_killed_training_resumes_and_ends_with_the_same_weights(smoke, tmp_path):
    copy = smoke.clone(tmp_path / "copy")
    expected = copy.path("models/student/sentiment/model.safetensors").read_bytes()
    content = yaml.safe_load(copy.path("params.yaml").read_text())
    content["distill"]["checkpoint_minutes"] = 0.0
    copy.path("params.yaml").write_text(yaml.safe_dump(content))
    # Forced, because DVC has the result in its cache, and the parameter that changed does not change it.
    command = ["dvc", "repro", "--force", "--single-item", "distill-train"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=copy.directory, env=copy.environment, start_new_session=True, **quiet)
    checkpoints = copy.path("models/checkpoints/distill-train/general")
    deadline = time.monotonic() + 300
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
    assert read_json(copy.path(str(timings)))["general"]["tokens"] < read_json(smoke.path(str(timings)))["general"]["tokens"]

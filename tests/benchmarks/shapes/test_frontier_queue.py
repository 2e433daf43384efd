"""The commands that fill the queue of DVC experiments."""

import os
import signal
import subprocess

import pytest

from benchmarks.shapes.queue import call, paths_not_in_git, run_command, undisturbed
from compactlm.errors import CompactLMError


def test_an_experiment_stops_before_export_and_is_not_forced():
    command = run_command("frontier-2x56", ["student.layers=2", "seed=3"], ["models/sources/own"])
    settings = "-S student.layers=2 -S seed=3 --copy-paths models/sources/own"
    assert command == f"dvc exp run --queue --name frontier-2x56 {settings} evaluate".split()


def test_an_error_names_the_command_and_the_reason():
    with pytest.raises(CompactLMError, match=r"`git no-such` failed \(git: 'no-such' is not a git command.*\)"):
        call(["git", "no-such"])
    assert call(["git", "no-such"], fails=True) == ""


def test_an_interruption_waits_for_the_end_of_the_block():
    steps = []

    def block():
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("after the signal")
        steps.append("after the block")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        block()
    assert steps == ["after the signal"]
    assert signal.getsignal(signal.SIGINT) == before


def test_only_text_and_models_of_the_user_are_copied(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data/sources/README.md", "data/sources/own.csv", "models/sources/bert/config.json", "data/raw/part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".gitignore").write_text("/data/raw\n/data/sources/*\n!README.md\n/models\n")
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "add", "data/sources/README.md"], check=True)
    assert paths_not_in_git() == ["data/sources/own.csv", "models/sources"]

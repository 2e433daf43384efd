"""The light install: a wheel in an empty environment classifies with an exported model, without torch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.test_light_install import HEAVY, check_light_commands

ROOT = Path(__file__).parents[2]
LARGEST = 300  # megabytes

pytestmark = pytest.mark.slow


def run(*command, directory, **options):
    """Run a command without the variables that point Python or compactlm to this checkout."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "COMPACTLM")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return subprocess.run([*map(str, command)], cwd=directory, env=environment, capture_output=True, text=True, check=False, **options)


def pip(*arguments, directory):
    """Run pip; fail with its messages, because without a package index this check means nothing."""
    command = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", *arguments)
    done = run(*command, directory=directory, timeout=600)
    assert done.returncode == 0, f"pip failed; this test needs a package index:\n{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """The Python of an empty environment in which only the wheel and its own requirements are installed."""
    directory = tmp_path_factory.mktemp("light")
    source = directory / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, source / name)
    pip("wheel", "--no-deps", "--wheel-dir", directory, source, directory=directory)
    [wheel] = directory.glob("*.whl")
    done = run(sys.executable, "-m", "venv", "--without-pip", directory / "venv", directory=directory)
    assert done.returncode == 0, done.stderr
    python = directory / "venv" / "bin" / "python"
    pip("--python", python, "install", "--constraint", ROOT / "constraints.txt", wheel, directory=directory)
    return python


def test_an_exported_model_classifies(light, export_root, on_torch, tiny_texts, tmp_path):
    shutil.copytree(export_root, tmp_path / "model")
    answers = {text: on_torch.classify(text) for text in tiny_texts[:40]}
    by_label = {answer.label: text for text, answer in answers.items()}
    assert set(by_label) == {"negative", "positive"}
    for label, text in by_label.items():
        done = run(light.parent / "compactlm", "classify", "--model", "model", "--json", text, directory=tmp_path)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["label"] == label
        assert found["probability"] == pytest.approx(answers[text].probability, abs=1e-4)


def test_commands_run_in_the_empty_environment_or_name_the_extra(light, export_root, student_root, tmp_path):
    check_light_commands(export_root, student_root, tmp_path, light, [])


def test_the_environment_is_small(light, record_property):
    script = f"import importlib.util; print([name for name in {HEAVY} if importlib.util.find_spec(name)])"
    done = run(light, "-c", script, directory=light.parent)
    assert done.stdout == "[]\n", done.stderr
    [packages] = light.parents[1].glob("lib/python*/site-packages")
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) / 1e6
    record_property("size of the light environment", f"{size:.0f} MB")
    assert size < LARGEST

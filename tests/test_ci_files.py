"""The CI files in docs/ci name commands, options and files that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from compactlm.commands.app import app

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "docs/ci").glob("*.yml"))


def strings(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for one in content:
            yield from strings(one)
    elif isinstance(content, str):
        yield content


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_ci_file_runs_commands_that_exist(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    lines = [line for text in strings(content) for line in text.splitlines()]
    found = [shlex.split(re.split(r"[>|]", line)[0]) for line in lines if line.strip().startswith("compactlm ")]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {command[1] for command in found} == {"review", "promote"}
    for _, name, *arguments in found:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= known
    for output in re.findall(r"dvc pull (.*)", path.read_text(encoding="utf-8")):
        assert all(one in (ROOT / "dvc.yaml").read_text(encoding="utf-8") for one in output.split())
    assert "secrets." not in path.read_text(encoding="utf-8")

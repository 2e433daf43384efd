"""Checkouts of the project in which tests run commands as a user does."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from compactlm.params.files import insert_files

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("COMPACTLM_CACHE") or ROOT / ".cache")

GOOD = ("good", "loved", "warm")  # words of the sentences of tiny_texts that are positive


class Checkout:
    """A git repository with the files of the project."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def run(self, *command: str, fails: bool = False, given: str = "", timeout: int = 1800, **environment: str) -> str:
        """Run a command, check that it succeeds or fails, and return its output."""
        settings = {"cwd": self.directory, "env": self.environment | environment, "timeout": timeout}
        found = subprocess.run(command, input=given, capture_output=True, text=True, check=False, **settings)
        output = found.stdout + found.stderr
        assert (found.returncode != 0) == fails, output[-5000:]
        return output

    @property
    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # PYTHONPATH comes first, so that the code of this checkout runs and not the installed one.
        own = {"PATH": path, "PYTHONPATH": str(self.directory / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COMPACTLM_CACHE": str(CACHE)}
        identity = {
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@localhost",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@localhost",
        }
        # Coverage's own variables would make every stage write data into the checkout.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("COV_", "COVERAGE", "DVC"))}
        return inherited | own | identity

    def path(self, *parts: str) -> Path:
        return self.directory.joinpath(*parts)

    def params(self) -> dict[str, Any]:
        """The content of params.yaml and of the files that it names."""
        return insert_files(yaml.safe_load(self.path("params.yaml").read_text()), self.directory)

    def write_params(self, content: dict[str, Any]) -> None:
        self.path("params.yaml").write_text(yaml.safe_dump(content))

    def write_csv(self, name: str, rows: list[tuple[str, str]]) -> dict[str, Any]:
        """Write rows of text and label to data/sources; return the source."""
        lines = [f'"{text}",{label}' for text, label in rows]
        self.path("data/sources", f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n")
        return {"kind": "files", "path": f"data/sources/{name}.csv", "columns": {"text": "text", "label": "label"}}

    def clone(self, directory: Path) -> Checkout:
        """Return a clone that shares the cache of DVC, with all artifacts checked out."""
        self.run("git", "clone", "--quiet", str(self.directory), str(directory))
        copy = Checkout(directory)
        copy.run("dvc", "cache", "dir", "--local", str(self.path(".dvc", "cache")))
        copy.run("dvc", "checkout")
        return copy

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """Restore all files that git and DVC know when the block ends."""
        try:
            yield
        finally:
            self.run("git", "checkout", "--quiet", ".")
            self.run("dvc", "checkout")

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)


def use_tiny_models(content: dict[str, Any], teacher: dict[str, Any]) -> None:
    """Change the parameters to a tiny teacher of two layers and a student of one, which learn tiny_texts in seconds."""
    for section in (content["teacher"]["fine_tuning"], content["distill"]["task"]):
        section["optimisation"] |= {"learning_rate": 0.005, "epochs": 16, "dropout": 0.0}
    content["teacher"] |= {"source": teacher, "parameters": None, "maximum_length": 64}
    shape = {"layers": 1, "hidden_size": 24, "attention_heads": 2, "intermediate_size": 48}
    content["student"] |= shape | {"vocabulary_size": 100, "budget": 0.9}
    content["tokenize"]["maximum_length"] = 64
    content["precision"] = "fp32"
    content["evaluate"]["timings"] |= {"batches": [1, 2], "seconds": 0.2}


def new_checkout(directory: Path) -> Checkout:
    """Copy the project's files, committed or not, into a new repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)
    checkout = Checkout(directory)
    checkout.run("git", "init", "--quiet", "--initial-branch", "main")
    checkout.commit("Begin")
    return checkout

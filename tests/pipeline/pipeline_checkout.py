"""A checkout of its own for a test of the pipeline, as a user would have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("COMPACTLM_CACHE") or ROOT / ".cache")


class Checkout:
    """A git repository with the project's files, and the commands that a user types in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def run(self, *command: str, fails: bool = False, given: str = "", timeout: int = 1800, **environment: str) -> str:
        """Run a command and return what it printed; its exit status must be as expected."""
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

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)


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

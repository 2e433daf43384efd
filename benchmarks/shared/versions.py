"""Run the commands of another version of this project, which has a checkout of its own, to compare them with the present ones."""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.shared import harness
from benchmarks.shared.commands import Job


@dataclasses.dataclass(frozen=True)
class Version:
    """A version of this project.

    Attributes:
        command: the benchmark, for messages.
        threads: the threads of its models.
        checkout: the root of its working tree, with the models of its run; the present one by default.
    """

    command: str
    threads: int
    checkout: Path = Path()

    def run(self, kind: Any, models: Path, **material: Any) -> Any:
        """Run a function of benchmarks.shared.commands on the models of this version; `models` is relative to the checkout.

        Raises:
            SystemExit: the models are missing, or the function fails; the end of its output is shown.
        """
        directory = (self.checkout / models).resolve()
        if not directory.is_dir():
            sys.exit(f"{self.command}: {directory} is missing; run `dvc checkout {models}` in {self.checkout.resolve()}")
        with tempfile.TemporaryDirectory(prefix=f"{self.command}-") as scratch:
            file = Path(scratch) / "material.json"
            file.write_text(json.dumps(material), encoding="utf-8")
            job = Job(kind, str(directory), str(file), self.threads)
            return harness.run_job(self.command, kind, "benchmarks.shared.commands", job, Path(scratch), self.checkout)


def add_before(parser: argparse.ArgumentParser) -> None:
    """Add the option that names an earlier version."""
    told = "measure an earlier version, too: a git worktree of it in which `dvc checkout models` was run"
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help=told)

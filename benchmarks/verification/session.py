"""Run a project once more and compare it with its last commit: `python -m benchmarks.verification.session HOME NAME [ARGUMENTS]`.

It runs in the project's directory, under the variables that choose an arithmetic. The stages are forks of this process, which has read
the variables and imported all libraries, so that a stage starts at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.torture.warm import Run, preload
from compactlm.artifacts import write_json
from compactlm.verification.comparing import Comparison
from compactlm.verification.verifying import verify


def _plain(one: Comparison) -> dict[str, Any]:
    """Return a comparison for JSON, which knows no infinity."""
    return {**dataclasses.asdict(one), "distance": one.distance if math.isfinite(one.distance) else None}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="session")
    parser.add_argument("home", type=Path)
    parser.add_argument("name")
    chosen, arguments = parser.parse_known_args()
    modules = chosen.home / "modules.txt"
    if modules.is_file():
        preload(modules)
    started = time.monotonic()
    run = Run(chosen.home, chosen.name).repro(["repro", *arguments], None if modules.is_file() else modules)
    if run.wait():
        sys.exit(f"`dvc repro` failed; see {run.output}")
    print(f"{chosen.name}: {time.monotonic() - started:.0f} s", flush=True)
    if chosen.name != "base":
        write_json(chosen.home / f"{chosen.name}.json", {stage: [_plain(one) for one in found] for stage, found in verify("HEAD").items()})


if __name__ == "__main__":
    main()

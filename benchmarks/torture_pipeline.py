"""Torture the pipeline: kill it, fill its disk, damage its files, and compare every artifact with an undisturbed run.

    python -m benchmarks.torture_pipeline                  # 1,000 faults; goes on where it stopped
    python -m benchmarks.torture_pipeline --minutes 10     # stops after ten minutes
    python -m benchmarks.torture_pipeline --afresh         # forgets the rounds and the reference so far

A clone of the last commit trains on a few rows (.cache/torture, on a small disk of its own if the system allows a mount). In each round
some faults strike, most often the stages up to distill-train: SIGKILL, SIGTERM or Ctrl-C of all processes at a random moment, SIGKILL of a
single process or of DVC alone, a full disk, a read-only cache, a clock that jumps (with libfaketime), a second `dvc repro`, and truncated,
flipped or emptied files. Then `dvc repro` runs undisturbed. It has to end well, after it said at most what to delete, and every artifact
has to have the bytes of the undisturbed run; only timings may differ. reports/torture.json has the tally.

Objects of DVC's cache are not damaged: DVC trusts them, because it makes them read-only.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.torture.place import Place

HOME = Path(".cache/torture")
REPORT = Path("reports/torture.json")
CODE = ("src", "configs", "dvc.yaml", "benchmarks/torture/material.py")


def _revision(*named: str) -> str:
    return subprocess.run(["git", "rev-parse", *named], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faults", type=int, default=1000, help="number of faults, with those of earlier runs")
    parser.add_argument("--minutes", type=float, default=600.0, help="the run ends after the round in which this time has passed")
    parser.add_argument("--seed", type=int, default=17, help="seed of the faults; another seed begins another tally")
    parser.add_argument("--home", type=Path, default=HOME, help="the directory of clone, reference and logs")
    parser.add_argument("--report", type=Path, default=REPORT, help="the file of the tally")
    parser.add_argument("--afresh", action="store_true", help="forget the rounds and the reference of earlier runs")
    chosen = parser.parse_args()
    place, report = Place(chosen.home.resolve()), chosen.report.resolve()
    if chosen.afresh:
        for path in (place.project, place.reference, place.logs, place.findings):
            shutil.rmtree(path, ignore_errors=True)
        report.unlink(missing_ok=True)
    place.prepare(Path.cwd())
    commit, code = _revision("--short", "HEAD"), _revision(*(f"HEAD:{name}" for name in CODE))
    marked = place.home / "code.txt"
    if not marked.is_file() or marked.read_text(encoding="ascii") != code:  # other code may give other bytes
        shutil.rmtree(place.reference, ignore_errors=True)
    marked.write_text(code, encoding="ascii")
    settings = ["--faults", str(chosen.faults), "--minutes", str(chosen.minutes), "--seed", str(chosen.seed)]
    os.chdir(place.project)
    command = [sys.executable, "-m", "benchmarks.torture.session", str(place.home), str(report), commit, *settings]
    os.execve(sys.executable, command, place.environment())  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main()

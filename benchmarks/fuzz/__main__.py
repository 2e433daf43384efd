"""Fuzz what reads files and texts of others: `python -m benchmarks.fuzz --minutes 60`.

A case draws an input from its seed, damages it, and uses it. It passes if the product takes it or refuses it in one sentence. A finding is
a traceback, a message that is no sentence, a crash, a hang (60 s of processor time), or lines without an answer. Its files are kept, and
`--target NAME --seed SEED --cases 1` runs it again.
"""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

from benchmarks.fuzz.runner import Case, Tally, fuzz
from compactlm import artifacts

TARGETS = {  # module and function
    "rows": "rows.case",
    "settings": "settings.case",
    "model_settings": "models.settings",
    "tokenizers": "models.tokenizer",
    "onnx": "models.graph",
    "weights": "models.weights",
    "knowledge": "knowledge.case",
    "commands": "commands.case",
}


def case_of(name: str) -> Case:
    """Return the function of a target."""
    module, function = TARGETS[name].split(".")
    return getattr(importlib.import_module(f"benchmarks.fuzz.{module}"), function)


def add_to_report(path: Path, tallies: dict[str, Tally]) -> None:
    """Add minutes, cases and findings of each target to those that the file has."""
    report = artifacts.read_json(path) if path.is_file() else {"targets": {}}
    for name, tally in tallies.items():
        before = report["targets"].get(name, {"minutes": 0.0, "cases": 0, "findings": 0})
        report["targets"][name] = {
            "minutes": round(before["minutes"] + tally.seconds / 60, 1),
            "cases": before["cases"] + tally.cases,
            "findings": before["findings"] + len(tally.findings),
        }
    for key in ("minutes", "cases", "findings"):
        report[key] = round(sum(one[key] for one in report["targets"].values()), 1)
    artifacts.write_json(path, report)


def main() -> None:
    """Run the targets one after another, print a tally, and exit with status 1 if there is a finding."""
    parser = argparse.ArgumentParser(prog="fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, action="append", help="run this target; repeat it for several; by default all")
    parser.add_argument("--cases", type=int, help="number of cases of each target, instead of minutes")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first case")
    parser.add_argument("--models", type=Path, default=Path("models/export"), help="exported models; weights uses `student` beside it")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"), help="directory for the files of findings")
    parser.add_argument("--report", type=Path, help="a JSON file; the tally is added to it")
    arguments = parser.parse_args()
    names = arguments.target or list(TARGETS)
    tallies = {}
    for name in names:
        end, cases = time.monotonic() + 60 * arguments.minutes / len(names), arguments.cases
        keep_on = (lambda _, end=end: time.monotonic() < end) if cases is None else (lambda done, cases=cases: done < cases)
        tally = tallies[name] = fuzz(name, case_of(name), arguments.models.resolve(), arguments.seed, keep_on, arguments.keep)
        for seed, finding in tally.findings:
            print(f"{name}, seed {seed}:\n{finding}", file=sys.stderr)
        print(f"{name:15} {tally.seconds / 60:6.1f} minutes {tally.cases:9,} cases {len(tally.findings):5,} findings", flush=True)
        print(f"  {json.dumps(dict(tally.ends.most_common(12)))}", flush=True)
        if arguments.report:
            add_to_report(arguments.report, {name: tally})
    sys.exit(1 if any(tally.findings for tally in tallies.values()) else 0)


if __name__ == "__main__":
    main()

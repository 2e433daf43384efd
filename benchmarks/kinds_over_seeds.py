"""Train a task of each kind with several seeds, and write the means to reports/kinds.json.

    make kinds                                  # seeds 17, 18 and 19 of the preset kinds, in a clone in .cache/kinds
    make kinds ARGS="--seeds 17"
    make kinds ARGS="--here"                    # train nothing; add the run of this directory, whatever its preset

Each seed draws the split, the teacher's training and the student's training anew. Seeds that reports/kinds.json has already are kept; the
file has the means over seeds under `tasks` and each seed under `seeds`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.kinds.pooling import measure, pool
from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.evaluation.predictions import read_answers
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.numbers import percent, plain
from compactlm.params import Params, read_params
from compactlm.text import markdown

REPORT = Path("reports/kinds.json")
CLONE = Path(".cache/kinds")
SEEDS = (17, 18, 19)
STAGES = ("evaluate", "export")  # the last ones that `collect` reads; neither depends on the other


def collect(root: Path) -> tuple[Params, dict[str, Any]]:
    """Return the parameters of a finished run in a directory, and `measure` of each of its tasks with the loss of int8."""
    params = read_params(root / "params.yaml")
    predictions = artifacts.read_table(root / artifacts.PREDICTIONS).to_pylist()
    answers = read_answers(predictions, artifacts.read_documents(root / artifacts.SPLIT / "test"), params)
    exported = artifacts.read_json(root / artifacts.METRICS / "export.json")
    resampler = Resampler.of(params.bootstrap, params.seed)
    found = {}
    for name, one in answers.items():
        int8 = exported.get(name, {}).get("int8", {})
        loss = int8.get("metric_loss", {}).get("value")
        if loss is None and "int8_accuracy" in int8:
            loss = int8["original_accuracy"]["value"] - int8["int8_accuracy"]["value"]
        found[name] = {**measure(one, resampler), "int8_loss": loss}
    return params, found


def train(seed: int, preset: str) -> Path:
    """Run a preset with a seed in a clone of the last commit, with the cache of this directory; return the clone."""
    root = Path.cwd()
    environment = os.environ | {"PYTHONPATH": str(root / CLONE / "src"), "COMPACTLM_CACHE": str(root / ".cache")}

    def run(*command: str, where: Path = CLONE) -> None:
        if subprocess.run(command, cwd=where, env=environment, check=False).returncode:
            raise CompactLMError(f"`{' '.join(command)}` failed for seed {seed} in {CLONE}; see its messages above")

    shutil.rmtree(CLONE, ignore_errors=True)
    CLONE.parent.mkdir(parents=True, exist_ok=True)
    run("git", "clone", "--quiet", str(root), str(CLONE), where=root)
    run("dvc", "cache", "dir", "--local", str(root / ".dvc" / "cache"))
    run("compactlm", "preset", preset)
    path = CLONE / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | {"seed": seed}), encoding="utf-8")
    run("dvc", "repro", *STAGES)
    return CLONE


def table(tasks: dict[str, Any]) -> str:
    """Return the table of the means in Markdown."""
    rows = []
    for name, one in tasks.items():
        kept = [f"{percent(one[key])} ({percent(one[f'{key}_low'])} to {percent(one[f'{key}_high'])})" for key in KEPT]
        figures = [plain(one[key]) for key in ("chance", "teacher", "student")]
        notes = [text for key, text in NOTES.items() if one[key]]
        int8 = plain(one["int8_loss"], 4) if "int8_loss" in one else ""
        rows.append([name, one["kind"], one["metric"], f"{one['rows']:,} x {one['seeds']}", *figures, *kept, int8, "; ".join(notes)])
    head = ["task", "kind", "metric", "test rows", "chance", "teacher", "student", "retention", "above chance", "int8 loses", "note"]
    return markdown.table(head, rows, ["task", "kind", "metric", "note"]) + "\n"


KEPT = ("retention", "retention_above_chance")
NOTES = {"proves_nothing": "the teacher is less than 5 points above chance", "small": "a small data set"}


def add(kept: dict[str, Any], params: Params, found: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the report with the run of a seed added; it replaces an older run of that seed."""
    seeds = {**kept.get("seeds", {}), str(params.seed): found}
    names = [name for name in found if all(name in tasks for tasks in seeds.values())]
    pooled = {name: pool([tasks[name] for tasks in seeds.values()], params.bootstrap.confidence, params.seed) for name in names}
    return {"tasks": pooled, "seeds": dict(sorted(seeds.items()))}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="kinds", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS), help="the seeds to train")
    parser.add_argument("--preset", default="kinds", help="a file of configs/preset, without .yaml")
    parser.add_argument("--here", action="store_true", help="train nothing; add the run of this directory")
    chosen = parser.parse_args()
    content: dict[str, Any] = artifacts.read_json(REPORT) if REPORT.exists() else {}
    left = [] if chosen.here else [seed for seed in chosen.seeds if str(seed) not in content.get("seeds", {})]
    for root in [Path()] if chosen.here else (train(seed, chosen.preset) for seed in left):
        content = add(content, *collect(root))
        artifacts.write_json(REPORT, content)
    print(table(content["tasks"]))


if __name__ == "__main__":
    try:
        main()
    except (CompactLMError, FileNotFoundError) as error:
        sys.exit(f"kinds: {error}")

"""Keep the figures of the run that is here beside those of other seeds and presets: `make seeds` after each run.

    dvc exp run -S seed=18                       # or: -S preset=quality -S seed=18
    make seeds

They are kept in reports/seeds.json by preset and seed; reports/seeds.md is their table, with means and standard deviations.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.params import Params, ParamsError, read_params

REPORT = Path("reports/seeds")
COLUMNS = {
    "teacher": "teacher",
    "student": "student",
    "retention": "raw retention",
    "retention_above_chance": "above chance",
    "masked_words_teacher": "teacher's masked words",
    "masked_words_student": "student's",
    "masked_words_retention": "retention",
}
HEAD = f"""# The same experiment over seeds

Figures of test rows; a seed redraws the split, the teacher's training, the masks, and the student's. Written by `make seeds`.

| preset | seed | {" | ".join(COLUMNS.values())} |
| --- | ---: |{" ---: |" * len(COLUMNS)}
"""

Figures = dict[str, float]
Kept = dict[str, dict[str, Figures]]  # by preset and seed


def figures(evaluated: Mapping[str, Any]) -> Figures:
    """Return what is kept of a run: shares of 1, means over the tasks; a figure that was not judged is left out.

    Args:
        evaluated: the content of reports/metrics/evaluate.json.
    """
    tasks, words = evaluated["tasks"].values(), evaluated["mlm"]
    found = {name: mean(task[name] for task in tasks) for name in list(COLUMNS)[:4] if all(name in task for task in tasks)}
    named = {"teacher_top1": "masked_words_teacher", "student_top1": "masked_words_student", "retention": "masked_words_retention"}
    found |= {name: words[key] for key, name in named.items() if key in words}
    return {**found, "parameters": evaluated["size"]["student_parameters"]}


def add(kept: Kept, preset: str, seed: int, found: Figures) -> Kept:
    """Return what is kept with a run's figures in place of older ones of this preset and seed; both in order."""
    merged = {**kept, preset: {**kept.get(preset, {}), str(seed): found}}
    return {name: dict(sorted(merged[name].items(), key=lambda item: int(item[0]))) for name in sorted(merged)}


def table(kept: Kept) -> str:
    """Return the table in Markdown: a row a run, and of each preset with several their means and standard deviations."""
    lines = []
    for preset, runs in kept.items():
        lines += [_row(preset, seed, {name: f"{value:.1%}" for name, value in run.items()}) for seed, run in runs.items()]
        if len(runs) > 1:
            values = {name: [run[name] for run in runs.values()] for name in COLUMNS if all(name in run for run in runs.values())}
            lines.append(_row(preset, "mean", {name: f"**{mean(each):.1%}**" for name, each in values.items()}))
            lines.append(_row("", "standard deviation", {name: f"{100 * stdev(each):.1f}" for name, each in values.items()}))
    return HEAD + "\n".join(lines) + "\n"


def _row(preset: str, seed: str, cells: Mapping[str, str]) -> str:
    return f"| {preset} | {seed} | {' | '.join(cells.get(name, '') for name in COLUMNS)} |"


def check_current() -> None:
    """Raise CompactLMError where what is here was made with other parameters or another code than are here."""
    command = [sys.executable, "-m", "dvc", "status", "--quiet", "--with-deps", "evaluate"]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        raise CompactLMError("the figures in reports/metrics are not those of params.yaml as it is; run `dvc repro` first")


def main(params: Params) -> str:
    """Keep the figures of the run that is here and return the table."""
    path = artifacts.METRICS / "evaluate.json"
    if not path.exists():
        raise CompactLMError(f"{path} is missing; run `dvc repro` first")
    check_current()
    report = REPORT.with_suffix(".json")
    kept: Kept = artifacts.read_json(report) if report.exists() else {}
    kept = add(kept, params.preset, params.seed, figures(artifacts.read_json(path)))
    artifacts.write_json(report, kept)
    content = table(kept)
    artifacts.write_text(REPORT.with_suffix(".md"), content)
    return content


if __name__ == "__main__":
    try:
        print(main(read_params()))
    except (CompactLMError, ParamsError) as error:
        sys.exit(f"seeds: {error}")

"""Keep the figures of the current run with those of other seeds and presets: `make seeds` after each run.

    dvc exp run -S seed=18                       # or: -S preset=quality -S seed=18
    make seeds

reports/seeds.json contains the figures by preset and seed. reports/seeds.md is their table, with means and standard deviations.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.shapes.results import figures
from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.figures.numbers import percent
from compactlm.params import Params, read_params
from compactlm.report.embedding_figures import BENCHMARK, CONTESTANTS, CONTEXT, figure_title, shown
from compactlm.text import markdown

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
HEAD = """# The same experiment over seeds

Figures of test rows. Each seed draws the split, the teacher's training, the masks and the student's training anew. Written by `make seeds`.

"""

EMBEDDING_HEAD = """
## Sentence embeddings

Means over the seeds, with standard deviations. The teacher and the static table are measured again on each split.

"""
EMBEDDING = [key for key in BENCHMARK if key != CONTEXT]

Kept = dict[str, dict[str, dict[str, Any]]]  # the result of shapes.results.figures, by preset and seed


def add(kept: Kept, preset: str, seed: int, found: dict[str, Any]) -> Kept:
    """Return the kept figures with those of a run added, in order of preset and seed; they replace older ones."""
    merged = {**kept, preset: {**kept.get(preset, {}), str(seed): found}}
    return {name: dict(sorted(merged[name].items(), key=lambda item: int(item[0]))) for name in sorted(merged)}


def table(kept: Kept) -> str:
    """Return the table in Markdown: one row a run; presets with several runs have means and standard deviations."""
    rows = []
    for preset, runs in kept.items():
        rows += [[preset, seed, *(percent(run[name]) for name in COLUMNS)] for seed, run in runs.items()]
        if len(runs) > 1:
            values = [[run[name] for run in runs.values()] for name in COLUMNS]
            rows.append([preset, "mean", *(f"**{percent(_over(mean, each))}**" for each in values)])
            rows.append(["", "standard deviation", *(percent(_over(stdev, each)) for each in values)])
    return HEAD + markdown.table(["preset", "seed", *COLUMNS.values()], rows, ["preset"]) + "\n"


def embedding_values(evaluated: dict[str, Any]) -> dict[str, Any]:
    """Return the values of the sentence embeddings, by contestant and figure, under `embedding`; nothing if the student has none."""
    found = evaluated.get("embedding", {})
    values = {
        name: {key: found[name][key].get("value") for key in EMBEDDING if key in found[name]} for name in CONTESTANTS if name in found
    }
    return {"embedding": values} if values else {}


def embedding_table(kept: Kept) -> str:
    """Return the table of the sentence embeddings in Markdown: means over the seeds of a preset, with standard deviations."""
    rows = []
    for preset, runs in kept.items():
        measured = [run["embedding"] for run in runs.values() if "embedding" in run]
        for name in CONTESTANTS:
            own = [one[name] for one in measured if name in one]
            if own:
                cells = [_mean_and_spread([one.get(key) for one in own], shown(key)) for key in EMBEDDING]
                rows.append([preset, CONTESTANTS[name], str(len(own)), *cells])
    if not rows:
        return ""
    heads = ["preset", "embedding", "seeds", *map(figure_title, EMBEDDING)]
    return EMBEDDING_HEAD + markdown.table(heads, rows, ["preset", "embedding"]) + "\n"


def _mean_and_spread(values: list[float | None], show: Callable[[float | None], str]) -> str:
    if len(values) < 2 or None in values:
        return show(_over(mean, values))
    return f"{show(_over(mean, values))} ± {show(_over(stdev, values))}"


def _over(statistic: Callable[[list[float]], float], values: list[float | None]) -> float | None:
    """Return a statistic over seeds, or None if the figure of one seed was not judged."""
    judged = [value for value in values if value is not None]
    return statistic(judged) if len(judged) == len(values) else None


def check_current() -> None:
    """Raise CompactLMError if the metrics were made with other parameters or other code."""
    command = [sys.executable, "-m", "dvc", "status", "--quiet", "--with-deps", "evaluate"]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        raise CompactLMError("the figures in reports/metrics do not belong to the current params.yaml and code; run `dvc repro` first")


def main(params: Params) -> str:
    """Keep the figures of the current run and return the table."""
    path = artifacts.METRICS / "evaluate.json"
    if not path.exists():
        raise CompactLMError(f"{path} is missing; run `dvc repro` first")
    check_current()
    report = REPORT.with_suffix(".json")
    kept: Kept = artifacts.read_json(report) if report.exists() else {}
    evaluated = artifacts.read_json(path)
    kept = add(kept, params.preset, params.seed, {**figures(evaluated), **embedding_values(evaluated)})
    artifacts.write_json(report, kept)
    content = table(kept) + embedding_table(kept)
    artifacts.write_text(REPORT.with_suffix(".md"), content)
    return content


if __name__ == "__main__":
    try:
        print(main(read_params()))
    except CompactLMError as error:
        sys.exit(f"seeds: {error}")

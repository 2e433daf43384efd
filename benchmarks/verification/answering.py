"""The models of the last run answer the test rows again with another arithmetic: which statuses of figures change?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.shared.harness import QUIET
from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.figures.figure import Status, is_figure

READ = ("data/split", "data/signals", "models", "configs", "params.yaml")
METRICS = artifacts.METRICS / "evaluate.json"
ROOT = Path(__file__).parents[2]


def answer_again(project: Path, scratch: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Run the stage evaluate on the models of a project, in a process of its own and another directory; return its metrics.

    Args:
        project: the directory with models, rows and parameters. Nothing is written to it.
        scratch: an empty directory.
        variables: of the environment, which choose the arithmetic.

    Raises:
        CompactLMError: the stage failed.
    """
    for name in filter(lambda one: (project / one).exists(), READ):
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).symlink_to((project / name).resolve())
    environment = {**os.environ, **QUIET, "PYTHONPATH": str(ROOT / "src"), "TQDM_DISABLE": "1", **variables}
    command = [sys.executable, "-m", "compactlm.stages.evaluate"]
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompactLMError(f"evaluate failed in {scratch}: {done.stderr[-1000:]}")
    found: dict[str, Any] = artifacts.read_json(scratch / METRICS)
    return found


def figures(metrics: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the figures of nested metrics, each after its path."""
    if isinstance(metrics, Mapping):
        if is_figure(metrics):
            yield path, metrics
        else:
            for key, value in metrics.items():
                yield from figures(value, f"{path}.{key}" if path else key)


def changed_statuses(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each figure whose status is another one, or that only one of both metrics has."""
    before, after = dict(figures(old)), dict(figures(new))
    changed = [name for name in sorted({*before, *after}) if _status(before.get(name)) != _status(after.get(name))]
    return [f"{name} is {_status(after.get(name))} instead of {_status(before.get(name))}" for name in changed]


def _status(figure: Mapping[str, Any] | None) -> str:
    return "missing" if figure is None else Status(figure["status"]).words


def greatest_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[float, str]:
    """Return the greatest change of a figure's value as a share of half its interval's width, and the figure's path."""
    before, after = dict(figures(old)), dict(figures(new))
    shares = [(0.0, "none")]
    for name in before.keys() & after.keys():
        value, low, high, other = *(before[name].get(key) for key in ("value", "low", "high")), after[name].get("value")
        if None not in (value, low, high, other) and high > low:
            shares.append((2 * abs(other - value) / (high - low), name))
    return max(shares)

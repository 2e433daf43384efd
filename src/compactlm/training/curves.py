"""Learning curves by DVCLive, one directory for each phase."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from dvclive import Live

from compactlm.artifacts import replacing


@contextlib.contextmanager
def curves(directory: Path) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """Yield a function that logs the losses of a step to `directory`/plots/metrics, which `dvc plots` reads.

    DVC manages dvc.yaml and experiments, so DVCLive must not write them.
    """
    with replacing(directory) as unfinished, Live(str(unfinished), dvcyaml=None, save_dvc_exp=False, report=None) as live:

        def log(step: int, losses: dict[str, float]) -> None:
            live.step = step
            for name, value in sorted(losses.items()):  # a checkpoint's history has sorted names, and the order shows in metrics.json
                live.log_metric(name, round(value, 6))

        yield log

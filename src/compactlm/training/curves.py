"""Learning curves by DVCLive, one directory a phase."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from dvclive import Live

from compactlm.artifacts import replacing


@contextlib.contextmanager
def curves(directory: Path) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """Give a function that logs the losses of a step; `dvc plots` reads what it writes to `directory`/plots/metrics.

    DVC owns dvc.yaml and the experiments here, so DVCLive writes neither.
    """
    with replacing(directory) as unfinished, Live(str(unfinished), dvcyaml=None, save_dvc_exp=False, report=None) as live:

        def log(step: int, losses: dict[str, float]) -> None:
            live.step = step
            for name, value in losses.items():
                live.log_metric(name, round(value, 6))

        yield log

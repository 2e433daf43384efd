"""Where shards are processed: in this process, in several, or as Ray tasks; the functions are the same, and so are the results."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Literal, Protocol

import pyarrow as pa
from tqdm import tqdm

from compactlm.corpus.fingerprint import fingerprint
from compactlm.corpus.shards import Manifest, Report, ShardFunction, ShardTask, process_shard, tasks_for
from compactlm.errors import CompactLMError


class Engine(Protocol):
    """Something that processes shards."""

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done, and return the manifests of all, in the order of the tasks."""
        ...


class Parametrised(Protocol):
    """A function of a shard that can say what its result depends on."""

    def parameters(self) -> dict[str, object]:
        """Return all that the result depends on beside shard and code, as what JSON can hold."""
        ...

    def __call__(self, table: pa.Table, /) -> tuple[pa.Table, Report]:
        """Return what becomes of the shard, and what was dropped."""
        ...


def apply(shards: Sequence[Path], target: Path, engine: Engine, function: Parametrised) -> tuple[list[Path], list[Manifest]]:
    """Apply a function to shards, and return the shards that it made in `target`, with their manifests; others there are removed."""
    tasks = tasks_for(shards, target)
    manifests = engine.run(tasks, function, fingerprint([type(function).__name__, function.parameters()]))
    return [task.target for task in tasks], manifests


class LocalEngine:
    """Processes of this machine, which stay for the next run, since they take a second to start; with one, this process itself.

    Args:
        processes: how many shards are worked on at a time, or None for every core that this process may use.
    """

    def __init__(self, processes: int | None) -> None:
        self._processes = processes or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done; the first failure ends the run, and what is finished by then stays."""
        with tqdm(total=len(tasks), desc="shards", unit="shard", mininterval=0.5, delay=2) as bar:
            if self._processes == 1 or len(tasks) < 2:
                manifests = []
                for task in tasks:
                    manifests.append(process_shard(task, function, fingerprint))
                    bar.update()
                return manifests
            return self._in_processes(tasks, function, fingerprint, bar)

    def _in_processes(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str, bar: tqdm) -> list[Manifest]:
        if self._pool is None:
            # Not forked: a copy of a process that has threads, of pyarrow for instance, can stop for ever.
            self._pool = ProcessPoolExecutor(self._processes, mp_context=multiprocessing.get_context("spawn"))
        futures = [self._pool.submit(process_shard, task, function, fingerprint) for task in tasks]
        try:
            for future in as_completed(futures):
                future.result()
                bar.update()
        except BrokenProcessPool:
            self._pool = None
            raise CompactLMError(
                "a process that worked on a shard was killed, most likely for want of memory; use fewer processes or smaller shards "
                "and run the command again, which goes on where it was"
            ) from None
        finally:
            wait([future for future in futures if not future.cancel()])  # none writes on when this has ended
        return [future.result() for future in futures]


def make_engine(name: Literal["local", "ray"], processes: int | None, address: str | None) -> Engine:
    """Return an engine.

    Args:
        name: "local", or "ray" (an optional extra).
        processes: how many shards are worked on at a time, None for as many as there are cores; a cluster decides by itself.
        address: the Ray cluster, or None to start one on this machine.

    Raises:
        CompactLMError: Ray is not installed.
    """
    if name == "local":
        return LocalEngine(processes)
    # Imported here: it takes a second, and few have it.
    from compactlm.corpus.ray_engine import RayEngine

    return RayEngine(processes, address)

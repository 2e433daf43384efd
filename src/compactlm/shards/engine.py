"""Engines that process shards: in this process, in worker processes, or as Ray tasks. All give the same results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from tqdm import tqdm

from compactlm.shards.fingerprint import fingerprint
from compactlm.shards.shards import Manifest, ShardFunction, ShardStep, ShardTask, process_shard, tasks_for
from compactlm.shards.worker_pool import WorkerPool, count_processes

REMEDY = "use fewer processes or smaller shards and run the command again (finished shards are kept)"


class Engine(Protocol):
    """The interface of an engine that processes shards."""

    def prepare(self, function: Callable[[], object]) -> None:
        """Start the workers, if the engine has any, and call a function in each of them in the background."""
        ...

    def rest(self) -> None:
        """Free the memory of the workers; the engine can be used again."""
        ...

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done, and return the manifests of all shards in the order of the tasks."""
        ...


def apply(shards: Sequence[Path], target: Path, engine: Engine, function: ShardStep) -> tuple[list[Path], list[Manifest]]:
    """Apply a function to shards, write the new shards to `target`, and return their paths and manifests.

    All other files in `target` are removed.
    """
    tasks = tasks_for(shards, target)
    manifests = engine.run(tasks, function, fingerprint([type(function).__name__, function.parameters()]))
    return [task.target for task in tasks], manifests


class LocalEngine:
    """Worker processes on this machine, which stay alive for the next run. None starts one per available core.

    With one process, everything runs in this process.
    """

    def __init__(self, processes: int | None) -> None:
        self._pool = WorkerPool(count_processes(processes), "a shard", REMEDY)

    def prepare(self, function: Callable[[], object]) -> None:
        """Start the worker processes, if there is more than one, and call a function in each of them."""
        if self._pool.processes > 1:
            self._pool.warm(function)

    def rest(self) -> None:
        """End the worker processes; the next run starts new ones."""
        self._pool.rest()

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done. The first failure ends the run; finished shards are kept."""
        with tqdm(total=len(tasks), desc="shards", unit="shard", mininterval=0.5, delay=2) as bar:
            if self._pool.processes > 1 and len(tasks) > 1:
                return self._pool.run(process_shard, [(task, function, fingerprint) for task in tasks], bar.update)
            manifests = []
            for task in tasks:
                manifests.append(process_shard(task, function, fingerprint))
                bar.update()
            return manifests


def make_engine(name: Literal["local", "ray"], processes: int | None, address: str | None) -> Engine:
    """Return an engine that processes `processes` shards at a time; None means one per core.

    A Ray cluster at `address` ignores the number of processes. Without an address, Ray starts on this machine.

    Raises:
        CompactLMError: Ray, an optional extra, is not installed.
    """
    if name == "local":
        return LocalEngine(processes)
    # Imported late: ray is optional, and importing it takes a second.
    from compactlm.shards.ray_engine import RayEngine

    return RayEngine(processes, address)

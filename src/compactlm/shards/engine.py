"""Where shards are processed: in this process, in several, or as Ray tasks; the functions are the same, and so are the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

import pyarrow as pa
from tqdm import tqdm

from compactlm.shards.fingerprint import fingerprint
from compactlm.shards.processes import Pool, count_processes
from compactlm.shards.shards import Manifest, Report, ShardFunction, ShardTask, process_shard, tasks_for

REMEDY = "use fewer processes or smaller shards and run the command again, which goes on where it was"


class Engine(Protocol):
    """Something that processes shards."""

    def prepare(self, function: Callable[[], object]) -> None:
        """Start what several shards will need, if it is not there, and call a function in it, while this process goes on."""
        ...

    def rest(self) -> None:
        """Give back the memory that the work so far took, before this process needs some; more work may follow."""
        ...

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
    """Processes of this machine, which stay for the next run; with one, this process itself.

    Args:
        processes: how many shards are worked on at a time, or None for every core that this process may use.
    """

    def __init__(self, processes: int | None) -> None:
        self._pool = Pool(count_processes(processes), "a shard", REMEDY)

    def prepare(self, function: Callable[[], object]) -> None:
        """Start the processes, if there are to be several, and call a function in them."""
        if self._pool.processes > 1:
            self._pool.warm(function)

    def rest(self) -> None:
        """End the processes; the next run starts others."""
        self._pool.rest()

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done; the first failure ends the run, and what is finished by then stays."""
        with tqdm(total=len(tasks), desc="shards", unit="shard", mininterval=0.5, delay=2) as bar:
            if self._pool.processes == 1 or len(tasks) < 2:
                manifests = []
                for task in tasks:
                    manifests.append(process_shard(task, function, fingerprint))
                    bar.update()
                return manifests
            return self._pool.run(process_shard, [(task, function, fingerprint) for task in tasks], bar.update)


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
    from compactlm.shards.ray_engine import RayEngine

    return RayEngine(processes, address)

"""Shards as Ray tasks, one task per shard, on a cluster or on this machine.

The engine uses plain tasks, because Ray Data holds several times the size of the data in memory. Every node must see the same files and
have the same version of compactlm installed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any

from tqdm import tqdm

from compactlm.errors import CompactLMError
from compactlm.shards.shards import Manifest, ShardFunction, ShardTask, process_shard

RETRIES = 3  # a task is run again this often if its node dies


class RayEngine:
    """A Ray cluster. The first run connects to it, and the connection stays open."""

    def __init__(self, processes: int | None, address: str | None) -> None:
        """Store the address of a cluster, or the number of processors (None for all) of a cluster that is started on this machine."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry; Ray reads this when it starts
        try:
            import ray
        except ImportError:
            raise CompactLMError("data.engine is ray, but Ray is not installed; run pip install 'compactlm[ray]'") from None
        self._ray: Any = ray
        self._processes, self._address = processes, address

    def prepare(self, function: Callable[[], object]) -> None:
        """Do nothing: the cluster is already there or starts with the first run."""

    def rest(self) -> None:
        """Do nothing: the cluster manages its own memory."""

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done. If a node dies, its task runs again on another. The first failure ends the run."""
        ray = self._ray
        if not ray.is_initialized():
            self._connect()
        remote = ray.remote(max_retries=RETRIES)(process_shard)
        waiting: list[Any] = []
        try:
            shared = ray.put(function)
            waiting.extend(remote.remote(ShardTask(task.source.resolve(), task.target.resolve()), shared, fingerprint) for task in tasks)
            pending = waiting
            with tqdm(total=len(tasks), desc="shards", unit="shard", mininterval=0.5, delay=2) as bar:
                while waiting:
                    done, waiting = ray.wait(waiting, num_returns=1)
                    ray.get(done)
                    bar.update()
            manifests: list[Manifest] = ray.get(pending)
        except ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from None
        except ray.exceptions.RayError as error:
            raise CompactLMError(
                f"the Ray cluster is gone or lost the task of a shard {RETRIES + 1} times ({' '.join(str(error).split())[:200]}); "
                "check the cluster and run the command again (finished shards are kept)"
            ) from None
        finally:
            with contextlib.suppress(Exception):  # a cluster that is gone raises again here, which would hide the error above
                for left in waiting:
                    ray.cancel(left)
        return manifests

    def _connect(self) -> None:
        ray = self._ray
        try:
            if self._address is None:
                ray.init(num_cpus=self._processes, include_dashboard=False, log_to_driver=False, configure_logging=False)
            else:
                ray.init(address=self._address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise CompactLMError(
                f"the Ray cluster {self._address or 'of this machine'} cannot be reached ({' '.join(str(error).split())[:200]}); "
                "start it or correct data.address in params.yaml"
            ) from None

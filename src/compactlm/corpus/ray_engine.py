"""Shards as Ray tasks, one a shard, on a cluster or on this machine.

Plain tasks and not Ray Data, which holds several times the data in memory. Every node must see the same files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compactlm.corpus.shards import Manifest, ShardFunction, ShardTask, process_shard
from compactlm.errors import CompactLMError

RETRIES = 3  # of a task whose node has died


class RayEngine:
    """A Ray cluster; the connection is made when the first shards come, and stays."""

    def __init__(self, processes: int, address: str | None) -> None:
        """Name a cluster, or start one with `processes` processors on this machine.

        Raises:
            CompactLMError: Ray is not installed.
        """
        try:
            import ray
        except ImportError:
            raise CompactLMError("engine: ray needs Ray, which is not installed; run pip install 'compactlm[ray]'") from None
        self._ray: Any = ray
        self._processes, self._address = processes, address

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done; a task whose node dies is run again on another."""
        ray = self._ray
        if not ray.is_initialized():
            self._connect()
        absolute = [ShardTask(task.source.resolve(), task.target.resolve()) for task in tasks]
        remote = ray.remote(max_retries=RETRIES)(process_shard)
        shared = ray.put(function)
        pending = [remote.remote(task, shared, fingerprint) for task in absolute]
        try:
            manifests: list[Manifest] = ray.get(pending)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, CompactLMError):
                raise CompactLMError(str(error.cause)) from None
            raise
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError) as error:
            raise CompactLMError(
                f"a Ray task that worked on a shard died {RETRIES + 1} times ({' '.join(str(error).split())[:200]}); "
                "check the cluster and run the command again, which goes on where it was"
            ) from None
        finally:
            for task in pending:
                ray.cancel(task, force=False)
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
                f"the Ray cluster {self._address or 'on this machine'} cannot be reached ({' '.join(str(error).split())[:200]}); "
                "start it or correct its address"
            ) from None

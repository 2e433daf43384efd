"""Where shards are processed: in this process or in several; the functions are the same, and so are the results."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from tqdm import tqdm

from compactlm.corpus.shards import Manifest, ShardFunction, ShardTask, process_shard
from compactlm.errors import CompactLMError


class Engine(Protocol):
    """Something that processes shards."""

    def run(self, tasks: Sequence[ShardTask], function: ShardFunction, fingerprint: str) -> list[Manifest]:
        """Process the shards that are not done, and return the manifests of all, in the order of the tasks."""
        ...


class LocalEngine:
    """Processes of this machine; with one, this process itself."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

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
        # Not forked: a copy of a process that has threads, of pyarrow for instance, can stop for ever.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(self._processes, len(tasks)), mp_context=context) as pool:
            futures = [pool.submit(process_shard, task, function, fingerprint) for task in tasks]
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update()
            except BrokenProcessPool:
                raise CompactLMError(
                    "a process that worked on a shard was killed, most likely for want of memory; use fewer processes or smaller shards "
                    "and run the command again, which goes on where it was"
                ) from None
            finally:
                pool.shutdown(cancel_futures=True)
            return [future.result() for future in futures]

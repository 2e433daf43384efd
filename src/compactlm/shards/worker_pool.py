"""Worker processes that stay alive between runs, because each takes a second to start."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from compactlm.errors import CompactLMError

Result = TypeVar("Result")


def count_processes(wanted: int | None) -> int:
    """Return the number of processes to use: `wanted`, or one per core that this process may use."""
    return wanted or len(os.sched_getaffinity(0))


class WorkerPool:
    """Worker processes, started by the first call. Each first calls `start` with the arguments `start_with`.

    If a process is killed, the message names its work (`work`) and a remedy (`remedy`).
    """

    def __init__(
        self, processes: int, work: str, remedy: str, start: Callable[..., object] | None = None, start_with: tuple[Any, ...] = ()
    ) -> None:
        self.processes = processes
        self._message = f"a process that worked on {work} was killed, most likely for lack of memory; {remedy}"
        self._start, self._start_with = start, start_with
        self._executor: ProcessPoolExecutor | None = None

    def warm(self, function: Callable[[], object]) -> None:
        """Start the processes and call a function in each of them in the background; its result is ignored."""
        with contextlib.suppress(BrokenProcessPool):  # a process was killed; the next run reports it
            for _ in range(self.processes):
                self._get_executor().submit(function)

    def rest(self) -> None:
        """End the processes, which frees their memory; the next run starts new ones."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], done: Callable[[], object] = lambda: None
    ) -> list[Result]:
        """Call a function once for each tuple of arguments, call `done` after each, and return the results in the same order.

        The function must be at the top level of a module, so that other processes can import it.

        Raises:
            CompactLMError: a process was killed during this run or since the last one. The next run starts new processes.
        """
        futures: list[Future[Result]] = []
        try:
            executor = self._get_executor()
            futures.extend(executor.submit(function, *arguments) for arguments in calls)
            for future in as_completed(futures):
                future.result()
                done()
        except BrokenProcessPool:
            self._executor = None
            raise CompactLMError(self._message) from None
        finally:
            wait([future for future in futures if not future.cancel()])  # no call may write after this method has ended
        return [future.result() for future in futures]

    def _get_executor(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # Spawned, not forked: a forked copy of a process with threads (pyarrow starts some) can deadlock.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self.processes, context, initializer=_prepare, initargs=(self._start, self._start_with))
        return self._executor


def _prepare(start: Callable[..., object] | None, start_with: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*start_with)


def _end_with_parent() -> None:
    # Without this, the workers of a killed stage wait forever, or write to shards that the next run works on.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

"""Processes of this machine that stay from one token of work to the next, since they take a second to start."""

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
    """Return how many processes to use: as many as are wanted, or one for every core that this process may use."""
    return wanted or len(os.sched_getaffinity(0))


class Pool:
    """Some processes, which start with the first call.

    Args:
        processes: how many.
        work: what they work on, for a message.
        remedy: what helps where one of them is killed, for the same message.
        start: is called with `start_with` in each process before anything else.
        start_with: its arguments.
    """

    def __init__(
        self, processes: int, work: str, remedy: str, start: Callable[..., object] | None = None, start_with: tuple[Any, ...] = ()
    ) -> None:
        self.processes = processes
        self._message = f"a process that worked on {work} was killed, most likely for want of memory; {remedy}"
        self._start, self._start_with = start, start_with
        self._executor: ProcessPoolExecutor | None = None

    def warm(self, function: Callable[[], object]) -> None:
        """Have the processes start and call a function, while this one goes on; what becomes of it is not looked at."""
        with contextlib.suppress(BrokenProcessPool):  # a process was killed already: the next run says so
            for _ in range(self.processes):
                self._started().submit(function)

    def rest(self) -> None:
        """End the processes, which keep some of the memory that they needed; the next run starts others."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def run(
        self, function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], done: Callable[[], object] = lambda: None
    ) -> list[Result]:
        """Call a function with each of some arguments, and return what it returns, in their order.

        Args:
            function: of a module, as another process must find it.
            calls: the arguments of each call.
            done: is called when a call has ended.

        Raises:
            CompactLMError: a process was killed, now or since the last run; the next run starts others.
        """
        futures: list[Future[Result]] = []
        try:
            executor = self._started()
            futures.extend(executor.submit(function, *arguments) for arguments in calls)
            for future in as_completed(futures):
                future.result()
                done()
        except BrokenProcessPool:
            self._executor = None
            raise CompactLMError(self._message) from None
        finally:
            wait([future for future in futures if not future.cancel()])  # none writes on when this has ended
        return [future.result() for future in futures]

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # Not forked: a copy of a process that has threads, of pyarrow for instance, can stop for ever.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self.processes, context, initializer=_prepare, initargs=(self._start, self._start_with))
        return self._executor


def _prepare(start: Callable[..., object] | None, start_with: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*start_with)


def _end_with_parent() -> None:
    # Left alone, the processes of a killed stage wait for ever, and write to the shards that the next run works on.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

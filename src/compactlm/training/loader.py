"""Batches made ready while the device still computes the one before."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from compactlm.training.processes import Batch


class Loader:
    """Gives the batch of each step in turn; `ahead` of time, in a thread, or when it is asked for.

    Ahead pays where the device is not the processor that makes the batches: there the thread would take from the step what it gives.
    """

    def __init__(self, load: Callable[[int], Batch], steps: range, ahead: bool) -> None:
        """Take a function from a step to its batch, the steps in order, and whether to load ahead."""
        self.load, self.steps = load, steps
        self.pool = ThreadPoolExecutor(1, "loader") if ahead and len(steps) else None
        self.waiting: Future[Batch] | None = self.pool.submit(load, steps[0]) if self.pool else None

    def take(self, step: int) -> Batch:
        """Return a step's batch; an error of its making is raised here."""
        if not self.pool or not self.waiting:
            return self.load(step)
        batch = self.waiting.result()
        self.waiting = self.pool.submit(self.load, step + 1) if step + 1 in self.steps else None
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

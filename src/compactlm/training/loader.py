"""Prepare the next batch while the device computes the current one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from compactlm.training.processes import Batch


class Loader:
    """Returns the batch of each step in turn. Batches are prepared on demand or, with `ahead`, in a thread.

    Preparing ahead helps only if training does not run on the processor that prepares the batches.
    """

    def __init__(self, load: Callable[[int], Batch], steps: range, ahead: bool) -> None:
        """Take a function that returns a step's batch, the steps in order, and whether to load ahead."""
        self.load, self.steps = load, steps
        self.pool = ThreadPoolExecutor(1, "loader") if ahead and len(steps) else None
        self.waiting: Future[Batch] | None = self.pool.submit(load, steps[0]) if self.pool else None

    def take(self, step: int) -> Batch:
        """Return a step's batch. Errors in its preparation are raised here."""
        if not self.pool or not self.waiting:
            return self.load(step)
        batch = self.waiting.result()
        self.waiting = self.pool.submit(self.load, step + 1) if step + 1 in self.steps else None
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

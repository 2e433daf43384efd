"""A clock for all contenders. It ticks at every step of a torch optimizer, in any training loop."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from benchmarks.train.arithmetic import Size

WARM_UP = 3  # the first steps allocate memory


class _Finished(BaseException):
    """The time is over. This is a BaseException, so that no `except Exception` of a training loop catches it."""


def size_of(batch: dict[str, torch.Tensor]) -> Size:
    """Return the size of a batch of input_ids, attention_mask and labels; two-dimensional labels mark masked positions."""
    rows, length = batch["input_ids"].shape
    labels = batch.get("labels")
    masked = int((labels >= 0).sum()) if labels is not None and labels.ndim == 2 else 0
    return Size(rows, length, int(batch["attention_mask"].sum()), masked)


class Clock:
    """Ends a training loop after some seconds, and records the end and the batch of each step."""

    def __init__(self, seconds: float) -> None:
        """Take the number of seconds after the warm-up."""
        self.seconds, self.start = seconds, 0.0
        self.ends: list[float] = []
        self.sizes: list[Size] = []
        self.on_start: Callable[[], None] = lambda: None
        self._supplied: deque[Size] = deque()  # a loop may fetch a batch ahead
        self._steps = 0

    def supply(self, batch: dict[str, torch.Tensor]) -> None:
        """Record a batch for the loop. Every contender calls this for every batch, in order."""
        self.supply_size(size_of(batch))

    def supply_size(self, size: Size) -> None:
        """Record the size of a batch for the loop; see `supply`."""
        self._supplied.append(size)

    def run(self, train: Callable[[], object]) -> None:
        """Train until the time is over."""
        handle = register_optimizer_step_post_hook(self._tick)
        try:
            train()
        except _Finished:
            pass
        finally:
            handle.remove()

    def _tick(self, *_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now, size = time.perf_counter(), self._supplied.popleft()
        self._steps += 1
        if self._steps <= WARM_UP:
            if self._steps == WARM_UP:
                self.start = now
                self.on_start()
            return
        self.ends.append(now)
        self.sizes.append(size)
        if now - self.start >= self.seconds:
            raise _Finished


class Stopwatch:
    """Divides our steps into parts by marks. The time since the last mark belongs to the named part."""

    def __init__(self) -> None:
        """Start without parts."""
        self.clear()

    def clear(self) -> None:
        """Forget the parts so far, such as those of the warm-up."""
        self.parts: dict[str, float] = {}
        self.last = time.perf_counter()

    def mark(self, part: str) -> None:
        """Add the time since the last mark to a part."""
        now = time.perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + now - self.last
        self.last = now

    def watch(self, objective: Any) -> None:
        """Mark the parts of an objective's forward, and the optimizer's step."""
        student = objective.student
        head = student.cls if hasattr(student, "cls") else student.classifier
        for module, before, after in (
            (student.bert, "losses", "body, forward"),
            (head, "losses", "head, forward"),
            (objective, "the rest", "losses"),
        ):
            module.register_forward_pre_hook(lambda *_, name=before: self.mark(name))
            module.register_forward_hook(lambda *_, name=after: self.mark(name))
        register_optimizer_step_pre_hook(lambda *_: self.mark("backward and clipping"))
        register_optimizer_step_post_hook(lambda *_: self.mark("optimizer"))

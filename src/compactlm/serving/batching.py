"""Collect items of many callers into batches: a queue with a limit of tokens, a deadline, and sorting by length.

It knows neither HTTP nor models. A lane is a kind of item and the function that computes a batch of them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from compactlm.bert.batches import make_batches

LEAST_TOKENS = 256  # smaller batches are not divided among idle workers, because starting a batch has a cost
FIRST_RATE = 20_000.0  # tokens per second that are assumed before the first batch is measured

Run = Callable[[Sequence[Any]], Any]  # returns an array or a list with one answer for each payload


class OverloadError(Exception):
    """The queue is full.

    Attributes:
        retry_after: whole seconds after which the queue has probably been processed.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the queue is full; retry after {retry_after} s")
        self.retry_after = retry_after


class Observer(Protocol):
    """The interface of an observer, which gets measurements of batches."""

    def batch(self, lane: str, items: int, tokens: int, seconds: float) -> None:
        """Record a batch: its number of items and tokens, and the time of its computation in seconds."""

    def waited(self, caller: str, seconds: float) -> None:
        """Record the caller, and how long the first item of a call was in the queue, in seconds."""


@dataclasses.dataclass(eq=False)
class _Call:
    """The items that were submitted together."""

    caller: str
    future: asyncio.Future[None]
    answers: list[Any]
    missing: int
    since: float


@dataclasses.dataclass(eq=False, slots=True)
class _Item:
    call: _Call
    index: int
    payload: Any
    tokens: int


class Batcher:
    """Runs items in batches on worker threads. All methods are called from the thread of one event loop.

    If no batch is running, a batch starts at once. Otherwise items wait until they fill a batch or until the oldest reaches the deadline.
    The next free worker then takes them. A batch that fails is repeated item by item, so that one item cannot make others fail.
    """

    def __init__(
        self,
        lanes: Mapping[str, Run],
        *,
        workers: int,
        batch_tokens: int,
        wait: float,
        queue_tokens: int,
        observer: Observer | None = None,
    ) -> None:
        """Start the workers.

        Args:
            lanes: for each kind of item, the function that returns one answer for each payload of a batch. It is called from
                several threads at the same time.
            workers: number of batches that run at the same time.
            batch_tokens: the largest batch in tokens, padding included. A larger item is a batch of its own.
            wait: the deadline in seconds.
            queue_tokens: the largest number of tokens that wait or run. A larger call is accepted only if the queue is empty.
            observer: gets the measurements.
        """
        self._lanes, self._observer = dict(lanes), observer
        self._queues: dict[str, deque[_Item]] = {name: deque() for name in lanes}
        self._waiting = dict.fromkeys(lanes, 0)
        self._workers, self._batch_tokens, self._wait, self._limit = workers, batch_tokens, wait, queue_tokens
        self._pool = ThreadPoolExecutor(workers, "batch")
        self._busy, self._rate = 0, FIRST_RATE
        self._timer: asyncio.TimerHandle | None = None
        self.queued = 0  # the tokens that wait or run

    async def submit(
        self, lane: str, payloads: Sequence[Any], tokens: Sequence[int], caller: str | None = None, *, always: bool = False
    ) -> list[Any]:
        """Return one answer for each payload, in order.

        Args:
            lane: the kind of the items.
            payloads: the arguments of the lane's function.
            tokens: the number of tokens of each payload.
            caller: a name for the observer; None takes the lane's name.
            always: whether the call is accepted even if the queue is full.

        Raises:
            OverloadError: the queue is full.
            Exception: what the lane's function raised for one of the payloads.
        """
        if not payloads:
            return []
        total = sum(tokens)
        if self.queued and self.queued + total > self._limit and not always:
            raise OverloadError(self.seconds_of_work())
        loop = asyncio.get_running_loop()
        call = _Call(caller or lane, loop.create_future(), [None] * len(payloads), len(payloads), time.monotonic())
        self._queues[lane].extend(map(_Item, itertools.repeat(call), itertools.count(), payloads, tokens))
        self._waiting[lane] += total
        self.queued += total
        self._start_batches(loop)
        await call.future
        return call.answers

    def seconds_of_work(self) -> int:
        """Return how long the queue takes at the speed of the last batches, in whole seconds, at least 1."""
        return min(60, max(1, math.ceil(self.queued / (self._rate * self._workers))))

    def close(self) -> None:
        """Stop the workers. Batches that have not started are dropped."""
        if self._timer:
            self._timer.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start_batches(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start batches while there are free workers and items that are due, the oldest first."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._busy < self._workers:
            filled = sorted((name for name, queue in self._queues.items() if queue), key=lambda name: self._queues[name][0].call.since)
            now = time.monotonic()
            due = [name for name in filled if not self._busy or self._waiting[name] >= self._batch_tokens or self._left(name, now) <= 0]
            if not due:
                if filled:
                    self._timer = loop.call_later(self._left(filled[0], now), self._start_batches, loop)
                return
            self._start(due[0], now, loop)

    def _left(self, lane: str, now: float) -> float:
        """Return the time until the deadline of a lane's oldest item, in seconds."""
        return self._queues[lane][0].call.since + self._wait - now

    def _start(self, lane: str, now: float, loop: asyncio.AbstractEventLoop) -> None:
        """Take the oldest items of a lane and divide them among the free workers, sorted by length."""
        queue, free = self._queues[lane], self._workers - self._busy
        taken = [queue.popleft()]
        total = taken[0].tokens
        while queue and total + queue[0].tokens <= self._batch_tokens * free:
            taken.append(queue.popleft())
            total += taken[-1].tokens
        self._waiting[lane] -= total
        if self._observer:
            for item in taken:
                if item.index == 0:
                    self._observer.waited(item.call.caller, now - item.call.since)
        limit = min(self._batch_tokens, max(math.ceil(total / free), LEAST_TOKENS))
        for rows in make_batches([item.tokens for item in taken], limit):
            self._busy += 1
            self._pool.submit(self._work, lane, [taken[row] for row in rows], loop)

    def _work(self, lane: str, items: list[_Item], loop: asyncio.AbstractEventLoop) -> None:
        """Compute a batch in a worker thread."""
        started = time.perf_counter()
        answers = _answers(self._lanes[lane], items)
        seconds = time.perf_counter() - started
        loop.call_soon_threadsafe(self._finish, lane, items, answers, seconds, loop)

    def _finish(self, lane: str, items: list[_Item], answers: Sequence[Any], seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        """Give the answers of a batch to their calls, and start the next batches."""
        tokens = sum(item.tokens for item in items)
        self._busy -= 1
        self.queued -= tokens
        self._rate += 0.1 * (tokens / max(seconds, 1e-6) - self._rate)
        for item, answer in zip(items, answers, strict=True):
            call = item.call
            call.answers[item.index] = answer
            call.missing -= 1
            if call.future.done():  # the caller has gone, or another item has failed
                continue
            if isinstance(answer, _Failure):
                call.future.set_exception(answer.error)
            elif not call.missing:
                call.future.set_result(None)
        self._start_batches(loop)
        if self._observer:
            self._observer.batch(lane, len(items), tokens, seconds)


@dataclasses.dataclass(frozen=True)
class _Failure:
    error: Exception


def _answers(run: Run, items: Sequence[_Item]) -> Sequence[Any]:
    """Return the answers of a batch. Items that also fail alone get a _Failure."""
    try:
        answers = run([item.payload for item in items])
        if len(answers) != len(items):
            raise ValueError(f"there are {len(answers)} answers for {len(items)} payloads")
    except Exception as error:  # noqa: BLE001 - any failure is given to the callers
        if len(items) == 1:
            return [_Failure(error)]
        return [answer for item in items for answer in _answers(run, [item])]
    return answers

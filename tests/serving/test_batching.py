"""The queue, with functions in place of models."""

import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.serving.batching import Batcher, OverloadError


class Recorder:
    """Answers with the payloads, and remembers the batches and the measurements."""

    def __init__(self, seconds=0.0):
        self.batches, self.waits, self.measured, self.seconds = [], [], [], seconds

    def run(self, payloads):
        time.sleep(self.seconds)
        self.batches.append(list(payloads))
        return [("answer", payload) for payload in payloads]

    def batch(self, lane, items, tokens, seconds):
        self.measured.append((lane, items, tokens))

    def waited(self, caller, seconds):
        self.waits.append((caller, seconds))


def batched(work, lanes, **options):
    """Run a coroutine function with a batcher."""

    async def run():
        batcher = Batcher(lanes, **{"workers": 1, "batch_tokens": 100, "wait": 10.0, "queue_tokens": 10_000, **options})
        try:
            return await work(batcher)
        finally:
            batcher.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


def test_a_lone_item_does_not_wait():
    recorder = Recorder()
    started = time.monotonic()
    assert batched(lambda batcher: batcher.submit("a", ["x"], [5]), {"a": recorder.run}) == [("answer", "x")]
    assert time.monotonic() - started < 5  # the deadline is 10 s


def test_items_that_arrive_during_a_batch_share_the_next_one():
    recorder = Recorder(seconds=0.1)

    async def work(batcher):
        return await asyncio.gather(*(batcher.submit("a", [number], [5]) for number in range(8)))

    assert batched(work, {"a": recorder.run}) == [[("answer", number)] for number in range(8)]
    assert [len(batch) for batch in recorder.batches] == [1, 7]


def test_a_batch_has_at_most_its_tokens_and_is_sorted_by_length():
    recorder = Recorder(seconds=0.05)

    async def work(batcher):
        sizes = [30, 1, 29, 2, 28, 3, 27, 4]
        await asyncio.gather(batcher.submit("a", ["first"], [1]), *(batcher.submit("a", [size], [size]) for size in sizes))

    batched(work, {"a": recorder.run}, batch_tokens=60)
    assert recorder.batches[0] == ["first"]
    for batch in recorder.batches[1:]:
        assert batch == sorted(batch)
        assert len(batch) * max(batch) <= 60
    assert sorted(size for batch in recorder.batches[1:] for size in batch) == [1, 2, 3, 4, 27, 28, 29, 30]


def test_the_deadline_ends_the_wait_on_another_worker():
    release = threading.Event()
    recorder = Recorder()

    def block(payloads):
        release.wait(30)
        return recorder.run(payloads)

    async def work(batcher):
        blocked = asyncio.ensure_future(batcher.submit("slow", ["x"], [1]))
        await asyncio.sleep(0)
        started = time.monotonic()
        await batcher.submit("a", ["y"], [1])
        waited = time.monotonic() - started
        release.set()
        await blocked
        return waited

    waited = batched(work, {"slow": block, "a": recorder.run}, workers=2, wait=0.2)
    assert 0.2 <= waited < 5


def test_a_full_queue_refuses_with_the_time_to_retry():
    release = threading.Event()

    def block(payloads):
        release.wait(30)
        return payloads

    async def work(batcher):
        running = [asyncio.ensure_future(batcher.submit("a", [0], [60])) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadError) as refused:
            await batcher.submit("a", [0], [60])
        always = asyncio.ensure_future(batcher.submit("a", [0], [60], always=True))
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*running, always)
        assert batcher.queued == 0
        assert await batcher.submit("a", [0], [1000]) == [0]  # an empty queue accepts everything
        return refused.value.retry_after

    assert 1 <= batched(work, {"a": block}, queue_tokens=150) <= 60


def test_an_item_fails_only_by_itself():
    def run(payloads):
        if "bad" in payloads:
            raise ValueError("bad payload")
        return [payload.upper() for payload in payloads]

    async def work(batcher):
        calls = [batcher.submit("a", [payload], [1]) for payload in ("x", "a", "bad", "b")]
        return await asyncio.gather(*calls, return_exceptions=True)

    first, before, failed, after = batched(work, {"a": run})
    assert (first, before, after) == (["X"], ["A"], ["B"])
    assert isinstance(failed, ValueError)


def test_a_function_that_loses_answers_fails():
    with pytest.raises(ValueError, match="0 answers for 1 payloads"):
        batched(lambda batcher: batcher.submit("a", ["x"], [1]), {"a": lambda _: []})


def test_a_caller_that_goes_away_does_not_disturb_others():
    recorder = Recorder(seconds=0.1)

    async def work(batcher):
        gone = asyncio.ensure_future(batcher.submit("a", ["x"], [1]))
        await asyncio.sleep(0.01)
        gone.cancel()
        found = await batcher.submit("a", ["y"], [1])
        assert batcher.queued == 0
        return found

    assert batched(work, {"a": recorder.run}) == [("answer", "y")]


def test_measurements():
    recorder = Recorder(seconds=0.01)

    async def work(batcher):
        await asyncio.gather(batcher.submit("a", ["x", "y"], [3, 4], "caller"), batcher.submit("b", ["z"], [5]))

    batched(work, {"a": recorder.run, "b": recorder.run}, observer=recorder)
    assert sorted(recorder.measured) == [("a", 2, 7), ("b", 1, 5)]
    assert [caller for caller, _ in recorder.waits] == ["caller", "b"]
    assert 0 <= recorder.waits[0][1] <= recorder.waits[1][1] < 5


@settings(max_examples=50)
@given(
    calls=st.lists(st.lists(st.integers(1, 150), min_size=1, max_size=12), min_size=1, max_size=12),
    workers=st.integers(1, 3),
    lanes=st.integers(1, 2),
)
def test_every_call_gets_its_own_answers_in_order(calls, workers, lanes):
    def run(payloads):
        return [payload * 7 for payload in payloads]

    async def work(batcher):
        payloads = [[1000 * number + size for size in sizes] for number, sizes in enumerate(calls)]
        found = await asyncio.gather(
            *(batcher.submit(str(number % lanes), some, sizes) for number, (some, sizes) in enumerate(zip(payloads, calls, strict=True)))
        )
        assert batcher.queued == 0
        assert found == [[payload * 7 for payload in some] for some in payloads]

    batched(work, {str(lane): run for lane in range(lanes)}, workers=workers, wait=0.001, queue_tokens=10**9)

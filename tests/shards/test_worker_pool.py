import functools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compactlm.errors import CompactLMError
from compactlm.shards.worker_pool import WorkerPool, count_processes

started_with: list[int] = []


def start(number: int) -> None:
    started_with.append(number)


def divide(number: int) -> tuple[float, list[int]]:
    return 12 / number, started_with


def test_results_have_the_order_of_the_calls_and_each_process_is_initialised_once() -> None:
    pool, done = WorkerPool(2, "rows", "try again", start, (7,)), []
    assert pool.run(divide, [(3,), (2,), (1,)], lambda: done.append(1)) == [(4.0, [7]), (6.0, [7]), (12.0, [7])]
    assert len(done) == 3
    with pytest.raises(ZeroDivisionError):
        pool.run(divide, [(3,), (0,)])
    assert pool.run(divide, [(4,)]) == [(3.0, [7])]
    assert pool.run(divide, []) == []


def test_resting_ends_the_processes_and_the_next_run_starts_others() -> None:
    pool = WorkerPool(1, "rows", "try again")
    pool.rest()
    before = pool.run(os.getpid, [()])
    assert pool.run(os.getpid, [()]) == before
    pool.rest()
    assert not Path(f"/proc/{before[0]}").exists()
    assert pool.run(os.getpid, [()]) != before


@pytest.mark.slow
def test_a_killed_process_is_reported_and_the_next_run_starts_others() -> None:
    pool = WorkerPool(1, "rows", "try again")
    with pytest.raises(CompactLMError, match=r"^a process that worked on rows was killed, .*try again$"):
        pool.run(os._exit, [(9,)])
    assert pool.run(divide, [(6,)]) == [(2.0, [])]


WAITING = """
import os, time
from compactlm.shards.worker_pool import WorkerPool
pool = WorkerPool(2, "rows", "try again")
pool.run(os.getpid, [()])
print("started", flush=True)
pool.run(time.sleep, [(60,), (60,)])
"""


def test_the_processes_end_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.kill()
        process.communicate(timeout=20)  # ends when no process has the output open


def test_the_number_of_processes_is_the_given_one_or_that_of_the_cores() -> None:
    assert count_processes(3) == 3
    assert count_processes(None) == len(os.sched_getaffinity(0))


def test_a_failed_warm_up_does_not_fail_later_calls(tmp_path):
    pool = WorkerPool(2, "nothing", "wait")
    pool.warm(functools.partial(int, "no number"))
    pool.warm(functools.partial(Path.touch, tmp_path / "warm"))
    assert pool.run(abs, [(-1,), (-2,)]) == [1, 2]
    assert (tmp_path / "warm").exists()


@pytest.mark.slow
def test_a_process_that_is_killed_at_its_start_is_reported_by_the_next_run():
    pool = WorkerPool(4, "rows", "try again", os._exit, (9,))
    for _ in range(50):
        pool.warm(os.getpid)  # before and after the pool notices it
        time.sleep(0.05)
    with pytest.raises(CompactLMError, match=r"^a process that worked on rows was killed"):
        pool.run(abs, [(-1,)])

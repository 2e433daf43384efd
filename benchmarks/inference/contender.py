"""The process of one contender: `python -m benchmarks.inference.contender JOB RESULT`, started by benchmarks/bench_inference.py."""

import json
import sys
import time
import timeit
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inference.jobs import Contender, Job
from benchmarks.inference.runners import Runner, encode, open_runner
from benchmarks.shared.machine import peak_bytes

SENTENCE = "A slow start, but the ending was one of the best that I have seen in years."
FIRST_TOKEN, LAST_TOKEN = 1000, 2000  # ordinary tokens in every measured vocabulary


def time_runs(run: Runner, ids: np.ndarray, seconds: float) -> list[float]:
    """Return the duration of each run in seconds. The first run is a warm-up; if it takes `seconds` or longer, it is the only run."""
    once = partial(timeit.timeit, partial(run, ids), number=1)
    warm_up = once()
    if warm_up >= seconds:
        return [warm_up]
    end, spent = time.perf_counter() + seconds, [once()]
    while time.perf_counter() < end:
        spent.append(once())
    return spent


def measure(job: Job) -> list[dict[str, Any]]:
    """Return the durations of all runs and the peak memory so far for each batch size and length."""
    run = open_runner(job.contender, job.threads)
    random = np.random.default_rng(0)
    found = []
    for batch, length in job.sizes:
        ids = random.integers(FIRST_TOKEN, LAST_TOKEN, (batch, length), dtype=np.int64)
        spent = time_runs(run, ids, job.seconds)
        found.append({"batch": batch, "tokens": length, "spent": spent, "peak_bytes": peak_bytes()})
    return found


def start_cold(job: Job) -> dict[str, Any]:
    """Load everything, classify one sentence, and return the time of the answer."""
    logits = open_runner(job.contender, job.threads)(encode(job.contender, SENTENCE))
    answered = time.time()
    if not np.isfinite(logits).all():
        raise ValueError(f"{job.contender.name} returned values that are not finite numbers")
    return {"answered": answered, "peak_bytes": peak_bytes()}


def main() -> None:
    """Run the job and write the result."""
    content = json.loads(sys.argv[1])
    job = Job(**{**content, "contender": Contender(**content["contender"])})
    found = start_cold(job) if job.cold else measure(job)
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The process of one contender: `python -m benchmarks.train.contender JOB RESULT`, started by benchmarks/bench_train.py."""

import json
import statistics
import sys
import timeit
from pathlib import Path
from typing import Any

import torch

from benchmarks.shared.machine import peak_bytes
from benchmarks.train.arithmetic import padding, rates, step_flops
from benchmarks.train.clock import Clock
from benchmarks.train.jobs import Job
from compactlm.bert.runtime import prepare

SIDE, PRODUCTS = 2048, 8


def _matrix_rate() -> dict[str, float]:
    """Return the best rate of several products of two fp32 matrices, in operations per second."""
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    return {"flops": 2 * SIDE**3 / min(timeit.repeat(lambda: left @ right, number=1, repeat=PRODUCTS))}


def measure(job: Job) -> dict[str, Any]:
    """Run a job in the working directory and return its figures: tokens and operations per second, times in seconds."""
    from benchmarks.train import others, ours, sentences
    from benchmarks.train.material import Material

    clock = Clock(job.seconds)
    material: Any = sentences.SentenceMaterial(job) if job.phase == "embedding" else Material(job)
    vocabulary = {"vocabulary_tokens": len(material.inputs.id_map)}
    own: Any = sentences if job.phase == "embedding" else ours
    if job.kind == "cache":
        return {**own.write(material), **vocabulary}
    found: dict[str, Any] = {}
    if job.kind == "sentence-transformers":
        work = sentences.measure_sentence_transformers(material, clock)
    elif job.kind == "tokens":
        work, found = sentences.measure_tokens(material, clock)
    elif job.kind in ("plain", "packed"):
        work = others.measure_plain(material, clock)
    elif job.kind == "textbrewer":
        work = others.measure_textbrewer(material, clock)
    else:
        work, found = own.measure(material, clock)
    seconds, tokens = clock.ends[-1] - clock.start, [size.tokens for size in clock.sizes]
    windows = rates(clock.start, clock.ends, tokens)
    return {
        **found,
        **vocabulary,
        "tokens_a_second": statistics.median(windows),
        "windows": windows,
        "steps": len(tokens),
        "seconds": seconds,
        "tokens": sum(tokens),
        "rows_a_batch": sum(size.rows for size in clock.sizes) / len(tokens),
        "padding": padding(clock.sizes),
        "flops": sum(step_flops(work, size) for size in clock.sizes) / seconds,
    }


def main() -> None:
    """Run the job and write its figures."""
    job = Job(**json.loads(sys.argv[1]))
    prepare(job.threads)
    found = _matrix_rate() if job.kind == "machine" else measure(job)
    Path(sys.argv[2]).write_text(json.dumps({**found, "peak_bytes": peak_bytes()}), encoding="utf-8")


if __name__ == "__main__":
    main()

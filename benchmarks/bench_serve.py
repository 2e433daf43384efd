"""Load `compactlm serve` from 1 to 256 connections and past its limits: `make bench-serve`.

    python -m benchmarks.bench_serve                       # about 4 minutes
    python -m benchmarks.bench_serve --seconds 20          # steadier figures
    python -m benchmarks.bench_serve --docs docs/serving.md  # also replaces the tables of that page

Client and server share the cores of this machine, so the client's work counts, too. Each text has 16 tokens, [CLS] and [SEP]
included. The rates are compared with the bare runtime, which runs prepared batches, and with a FastAPI route that does nothing
but read the same request. reports/benchmarks/serve.md and .json get the figures, which depend on the machine.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.serve.loads import Loads, free_port, running
from benchmarks.serve.report import PER_REQUEST, SMALL_QUEUE, STEP, best, fill, report
from benchmarks.shared.harness import versions, write_report
from compactlm import CompactLM, artifacts
from compactlm.serving.cores import usable_cores

REPORT = Path("reports/benchmarks/serve")
TOKENS = 16


def texts_of(lm: CompactLM, task: str, count: int) -> list[str]:
    """Return different texts of TOKENS tokens each."""
    tokenizer = lm.task(task).tokenizer
    words = sorted(word for word in tokenizer.library.get_vocab() if word.isascii() and word.isalpha() and len(word) > 2)
    random = Random(0)
    texts = [" ".join(random.choices(words, k=TOKENS - 2)) for _ in range(count)]
    assert {len(ids) for ids in tokenizer.encode(texts)} == {TOKENS}
    return texts


def bare(model: Path, task: str, texts: Sequence[str], size: int, threads: int, workers: int, seconds: float) -> float:
    """Return the texts per second of the bare runtime: prepared batches of `size` texts.

    Each batch runs on `threads` threads, and `workers` batches run at the same time.
    """
    found = CompactLM(model, backend="onnx", threads=threads).task(task)
    ids, run = found.tokenizer.encode(texts), found.runner.task_logits
    batches = [found.batch(ids[start : start + size]) for start in range(0, len(ids) - size + 1, size)]
    run(batches[0])
    begun = time.perf_counter()

    def work(offset: int) -> int:
        done = 0
        while not done or time.perf_counter() < begun + seconds:
            run(batches[(offset + done) % len(batches)])
            done += 1
        return done * size

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(work, range(workers))) / (time.perf_counter() - begun)


def mixed_texts(lm: CompactLM, task: str, count: int) -> list[str]:
    """Return different texts of 1 to 200 words, which also fill the caches of the server."""
    words = sorted(word for word in lm.task(task).tokenizer.library.get_vocab() if word.isalpha())
    random = Random(1)
    return [" ".join(random.choices(words, k=round(200 ** random.random()))) for _ in range(count)]


def measure_rates(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Return the loads at each number of connections, and the rates of the bare runtime and of an empty route."""
    seconds, connections, cores = options.seconds, options.connections, usable_cores()
    texts = texts_of(CompactLM(options.model, backend="onnx", threads=1), options.task, 512)
    single = [{"inputs": text} for text in texts]
    several = [{"inputs": texts[start : start + PER_REQUEST]} for start in range(0, len(texts), PER_REQUEST)]
    serve = ("compactlm", "serve", "--model", str(options.model), "--port")
    found: dict[str, Any] = {"bare": {}}
    # One text at a time, and as many as the cores compute; each in the faster of two ways to use the cores.
    ways = {1: [(1, 1), (cores, 1)], PER_REQUEST: [(cores, 1), (1, cores)]}
    for size, tried in ways.items():
        rates = [bare(options.model, options.task, texts, size, *way, seconds) for way in dict.fromkeys(tried)]
        found["bare"][str(size)] = round(max(rates), 1)
    port = free_port()
    with running("benchmarks.serve.nothing", str(port), port=port) as process:
        found["nothing"] = Loads(process, port, "/nothing", single, scratch).curve(connections, seconds)
    port = free_port()
    with running(*serve, str(port), port=port) as process:
        one, many = (Loads(process, port, "/predict", bodies, scratch) for bodies in (single, several))
        one.measure(16, seconds, requests=2 * len(single))  # fills the cache of words, as any server's is after some requests
        found["one_text"] = one.curve(connections, seconds)
        found["texts_32"] = many.curve(connections, seconds)
        found["half_of_saturation"] = [one.measure(64, seconds, best(found["one_text"]) / 2)]
    port = free_port()
    with running(*serve, str(port), "--queue-tokens", str(SMALL_QUEUE), port=port) as process:
        found["overloaded"] = [Loads(process, port, "/predict", several, scratch).measure(256, seconds)]
    limit = min(best(found["nothing"]), found["bare"]["1"])
    found["share_one_text"] = round(best(found["one_text"]) / limit, 3)
    found["share_32_texts"] = round(best(found["texts_32"]) * PER_REQUEST / found["bare"][str(PER_REQUEST)], 3)
    return found


def measure_memory(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Return the resident memory of a server after each STEP requests with texts of many lengths, and its growth after the first step."""
    texts = mixed_texts(CompactLM(options.model, backend="onnx", threads=1), options.task, 300)  # they are an argument of a process
    port = free_port()
    with running("compactlm", "serve", "--model", str(options.model), "--port", str(port), port=port) as process:
        loads = Loads(process, port, "/predict", [{"inputs": text} for text in texts], scratch)
        steps = [loads.measure(64, 600, requests=STEP) for _ in range(max(2, options.requests // STEP))]
    growth = steps[-1]["megabytes"] / max(steps[0]["megabytes"], 0.1) - 1
    return {"memory": steps, "growth": round(growth, 4)}


PARTS = {"rates": measure_rates, "memory": measure_memory}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=artifacts.EXPORT)
    parser.add_argument("--task", default="sentiment")
    parser.add_argument("--seconds", type=float, default=6.0, help="the duration of each load")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 16, 64, 128, 256])
    parser.add_argument("--requests", type=int, default=100_000, help="the least number of requests for the memory")
    parser.add_argument("--only", choices=PARTS, help="measure the rates or the memory alone")
    parser.add_argument("--docs", type=Path, help="a page in Markdown whose tables are replaced")
    parser.add_argument("--output", type=Path, default=REPORT)
    options = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    found: dict[str, Any] = {"cores": usable_cores(), "versions": versions(["fastapi", "uvicorn", "onnxruntime"])}
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as directory:
        for name, part in PARTS.items():
            if options.only in (None, name):
                found |= part(options, Path(directory))
    sections = report(found)
    write_report(options.output, ["# Serving over HTTP", __doc__.split("\n\n")[2].replace("\n", " "), *sections], found)
    if options.docs:
        fill(options.docs, sections)


if __name__ == "__main__":
    main()

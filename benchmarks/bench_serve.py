"""Load `compactlm serve` from 1 to 256 connections and past its limits: `make bench-serve`.

    python -m benchmarks.bench_serve                       # about 4 minutes
    python -m benchmarks.bench_serve --seconds 20          # steadier figures

Client and server share the cores of this machine, so the client's work counts, too. Each text has 16 tokens, [CLS] and [SEP]
included. The rates are compared with the bare runtime, which runs prepared batches, and with a FastAPI route that does nothing
but read the same request. reports/benchmarks/serve.md and .json get the figures, which depend on the machine.
"""

import argparse
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.serve.client import RESET, Job
from benchmarks.shared.harness import new_console, run_job, show, versions, write_report
from compactlm import CompactLM, artifacts
from compactlm.serving.cores import usable_cores

COMMAND = "bench-serve"
REPORT = Path("reports/benchmarks/serve")
TOKENS, PER_REQUEST = 16, 32
SMALL_QUEUE = 4096  # tokens; with this queue a load of 256 connections is refused in part


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
        while time.perf_counter() < begun + seconds:
            run(batches[(offset + done) % len(batches)])
            done += 1
        return done * size

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(work, range(workers))) / (time.perf_counter() - begun)


@contextlib.contextmanager
def running(*command: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends."""
    process = subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=30).read()
                break
            except urllib.error.HTTPError as error:
                if error.code == 404:  # the server of the empty route
                    break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{COMMAND}: `python -m {' '.join(command)}` does not start; run it to see why")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    """Return a port that no server uses."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process; 0 where /proc is missing."""
    status = Path(f"/proc/{process.pid}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    return round(int(found.group(1)) / 1024, 1) if found else 0.0


class Loads:
    """Loads on one server, each by a client in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, path: str, bodies: Sequence[object], scratch: Path) -> None:
        """Take the server, the route and the requests, which are sent in turn."""
        self.process, self.port, self.path, self.scratch = process, port, path, scratch
        self.bodies = [json.dumps(body) for body in bodies]

    def measure(self, connections: int, seconds: float, rate: float = 0.0) -> dict[str, Any]:
        """Return the figures of one load."""
        job = Job(self.port, self.path, self.bodies, connections, seconds, rate)
        found = run_job(COMMAND, f"{self.path} with {connections} connections", "benchmarks.serve.client", job, self.scratch)
        statuses = found["statuses"]
        total = sum(statuses.values())
        return {
            "connections": connections,
            "requests_a_second": round(found["a_second"], 1),
            "p50_ms": round(found["p50_ms"], 2),
            "p99_ms": round(found["p99_ms"], 2),
            "rejected": round(statuses.get("429", 0) / total, 4),
            "failed": sum(count for status, count in statuses.items() if status.startswith("5")),
            "reset": statuses.get(RESET, 0),
            "requests": total,
            "megabytes": resident_megabytes(self.process),
        }

    def curve(self, connections: Sequence[int], seconds: float) -> list[dict[str, Any]]:
        """Return the figures for each number of connections."""
        return [self.measure(number, seconds) for number in connections]


def table(console: Any, title: str, loads: Sequence[dict[str, Any]]) -> str:
    """Show the figures of loads as a table; return it in Markdown."""
    names = ["connections", "requests/s", "p50 ms", "p99 ms", "429", "5xx", "reset", "MB"]
    keys = ["requests_a_second", "p50_ms", "p99_ms"]
    rows = []
    for one in loads:
        figures = [f"{one[key]:,.1f}" for key in keys]
        figures += [f"{one['rejected']:.1%}", str(one["failed"]), str(one["reset"]), str(one["megabytes"])]
        rows.append([str(one["connections"]), *figures])
    return show(console, title, names, rows, ())


def best(loads: Sequence[dict[str, Any]]) -> float:
    """Return the largest rate of answers."""
    return float(max(one["requests_a_second"] for one in loads))


def measure(options: argparse.Namespace, scratch: Path) -> tuple[list[str], dict[str, Any]]:
    """Measure everything; return the sections of the report and the figures."""
    console, seconds, connections, cores = new_console(110), options.seconds, options.connections, usable_cores()
    lm = CompactLM(options.model, backend="onnx", threads=1)
    texts = texts_of(lm, options.task, 512)
    single = [{"inputs": text} for text in texts]
    several = [{"inputs": texts[start : start + PER_REQUEST]} for start in range(0, len(texts), PER_REQUEST)]
    serve = ("compactlm", "serve", "--model", str(options.model), "--port")
    found: dict[str, Any] = {"cores": cores, "seconds": seconds, "versions": versions(["fastapi", "uvicorn", "onnxruntime"])}
    # One text at a time, and as many as the cores compute; each in the faster of two ways to use the cores.
    ways = {1: [(1, 1), (cores, 1)], PER_REQUEST: [(cores, 1), (1, cores)]}
    found["bare"] = {}
    for size, tried in ways.items():
        rates = [bare(options.model, options.task, texts, size, *way, seconds) for way in tried]
        found["bare"][str(size)] = round(max(rates), 1)
    port = free_port()
    with running("benchmarks.serve.nothing", str(port), port=port) as process:
        found["nothing"] = Loads(process, port, "/nothing", single, scratch).curve(connections, seconds)
        found["nothing_32"] = Loads(process, port, "/nothing", several, scratch).curve(connections[-1:], seconds)
    port = free_port()
    with running(*serve, str(port), port=port) as process:
        one = Loads(process, port, "/predict", single, scratch)
        found["one_text"] = one.curve(connections, seconds)
        found["texts_32"] = Loads(process, port, "/predict", several, scratch).curve(connections, seconds)
        found["half_of_saturation"] = one.measure(64, seconds, best(found["one_text"]) / 2)
        found["memory"] = [one.measure(64, seconds)]
        while options.requests > sum(load["requests"] for load in found["memory"]):
            found["memory"].append(one.measure(64, seconds))
    port = free_port()
    with running(*serve, str(port), "--queue-tokens", str(SMALL_QUEUE), port=port) as process:
        found["overloaded"] = [Loads(process, port, "/predict", several, scratch).measure(256, seconds)]
    limit = min(best(found["nothing"]), found["bare"]["1"])
    found["share_one_text"] = round(best(found["one_text"]) / limit, 3)
    found["share_32_texts"] = round(best(found["texts_32"]) * PER_REQUEST / found["bare"][str(PER_REQUEST)], 3)
    sections = [
        table(console, "A route that does nothing, one text a request", found["nothing"]),
        table(console, "/predict, one text a request", found["one_text"]),
        table(console, "/predict, 32 texts a request", found["texts_32"]),
        table(console, "/predict at half of its largest rate", [found["half_of_saturation"]]),
        table(console, f"/predict, 32 texts a request, with a queue of {SMALL_QUEUE:,} tokens", found["overloaded"]),
        table(console, "Memory over many requests", [found["memory"][0], found["memory"][-1]]),
        f"Bare runtime: {found['bare']['1']:,.0f} texts/s one by one and {found['bare'][str(PER_REQUEST)]:,.0f} texts/s in batches of "
        f"{PER_REQUEST}, on {cores} cores. One text a request reaches {found['share_one_text']:.0%} of the smaller of the empty route's "
        f"and the runtime's rate; {PER_REQUEST} texts a request reach {found['share_32_texts']:.0%} of the runtime's rate in batches.",
    ]
    print(sections[-1])
    return sections, found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=artifacts.EXPORT)
    parser.add_argument("--task", default="sentiment")
    parser.add_argument("--seconds", type=float, default=6.0, help="the duration of each load")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 16, 64, 128, 256])
    parser.add_argument("--requests", type=int, default=100_000, help="the least number of requests for the memory")
    parser.add_argument("--output", type=Path, default=REPORT)
    options = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as directory:
        sections, found = measure(options, Path(directory))
    write_report(options.output, ["# Serving over HTTP", __doc__.split("\n\n")[2].replace("\n", " "), *sections], found)


if __name__ == "__main__":
    main()

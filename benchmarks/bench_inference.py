"""Compare the speed of the finished model with larger models: `make bench-inference`, or `python -m benchmarks.bench_inference`.

Each contender runs in its own process, one after another, in several rounds. The student and the teacher are those of `dvc repro`. The
other models have random weights, which do not affect speed.
"""

import argparse
import dataclasses
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.inference import tables
from benchmarks.inference.jobs import BATCHES, LENGTHS, Contender, Job
from benchmarks.shared import harness
from benchmarks.shared.machine import processor
from compactlm import artifacts

REPORT = Path("reports/benchmarks/inference")
PACKAGES = ("compactlm", "torch", "transformers", "onnxruntime")
DEFAULT_BAR, TENTH_BAR = 130, 45
METHOD = """
Every contender is a classifier of {labels} labels. It classifies rows of random tokens without padding, from token ids to logits; only
the cold start includes the tokenizer. bert-base's shape and the 6x256 student have random weights, which do not affect speed. torch runs
in inference mode with its default attention, fp32, uncompiled.

Contenders run one after another in their own processes, in {rounds} rounds, so that a slow minute of the machine affects all of them.
Each round measures every pair of a batch size and a length: one run warms up, and further runs follow for {seconds:g} s. If the first
run takes longer than that, it is the measurement. The median and the 95th percentile are over all runs; rows/s follows from the median.
Peak memory is the resident memory of the whole process after the measurements in the order of the table. A cold start is the time from
the start of the process to the answer to one sentence: interpreter, imports, tokenizer, weights and run. The table has the median of
{starts} starts with files in the disk cache. A cold start on ONNX needs only onnxruntime, tokenizers and NumPy.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-inference", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="duration of each measurement in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=5, help="cold starts of each contender")
    parser.add_argument("--threads", type=int, nargs="+", help="numbers of threads; by default 1 and all cores")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES, help="batch sizes")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="tokens per row")
    return parser.parse_args()


def _contenders(task: str, scratch: Path) -> list[Contender]:
    """Return all contenders; the first is the baseline."""
    student, export = str(artifacts.STUDENT / task), str(artifacts.EXPORT / task)
    return [
        Contender("bert-base's shape, torch", "torch", str(scratch / "bert-base")),
        Contender("teacher, torch", "torch", str(artifacts.TEACHER / task)),
        Contender("student, torch", "torch", student),
        Contender("student, ONNX", "onnx", export, "onnx/model.onnx"),
        Contender("student, ONNX int8", "onnx", export, "onnx/model_quantized.onnx", DEFAULT_BAR),
        Contender("6x256 with 23,482 tokens, ONNX int8", "onnx", str(scratch / "6x256"), "onnx/model_quantized.onnx", TENTH_BAR),
    ]


def _do(job: Job, scratch: Path) -> Any:
    return harness.run_job("bench-inference", job.contender.name, "benchmarks.inference.contender", job, scratch)


def _speed(
    contenders: list[Contender], threads: int, arguments: argparse.Namespace, scratch: Path, console: Console
) -> list[dict[str, Any]]:
    sizes = tuple((batch, length) for batch in sorted(arguments.batches) for length in sorted(arguments.lengths))
    rounds: dict[str, list[list[dict[str, Any]]]] = {contender.name: [] for contender in contenders}
    for number in range(arguments.rounds):
        for contender in contenders:
            rounds[contender.name].append(_do(Job(contender, threads, arguments.seconds, sizes), scratch))
            console.print(f"{threads} threads, round {number + 1}: {contender.name}")
    return [{"contender": dataclasses.asdict(one), "points": tables.summarise(rounds[one.name])} for one in contenders]


def _starts(contenders: list[Contender], threads: int, arguments: argparse.Namespace, scratch: Path) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in contenders}
    for _ in range(arguments.starts):
        for contender in contenders:
            begun = time.time()
            answer = _do(Job(contender, threads, 0, cold=True), scratch)
            found[contender.name].append({"seconds": answer["answered"] - begun, "peak_bytes": answer["peak_bytes"]})
    return [
        {
            "contender": dataclasses.asdict(contender),
            "file_bytes": (Path(contender.directory) / (contender.file or "model.safetensors")).stat().st_size,
            "seconds": [one["seconds"] for one in found[contender.name]],
            "peak_bytes": max(one["peak_bytes"] for one in found[contender.name]),
        }
        for contender in contenders
    ]


def _check_workspace(contenders: list[Contender], scratch: Path) -> None:
    """Exit with a sentence if a file is missing."""
    own = [one for one in contenders if scratch not in Path(one.directory).parents]
    needed = [Path(one.directory) / name for one in own for name in (one.file or "model.safetensors", "tokenizer.json")]
    missing = [path for path in needed if not path.is_file()]
    if missing:
        sys.exit(f"bench-inference: {missing[0]} is missing; run `make train` to make the models")


def main() -> None:
    """Run all contenders, print the tables and write them to reports/benchmarks."""
    arguments = _arguments()
    params = harness.params_of("bench-inference")
    task = next(iter(params.tasks))
    console = harness.new_console(150)
    with tempfile.TemporaryDirectory(prefix="bench-inference-") as directory:
        scratch = Path(directory)
        contenders = _contenders(task, scratch)
        _check_workspace(contenders, scratch)
        tokenizers = (str(artifacts.TEACHER / task), str(artifacts.EXPORT / task))
        made = (directory, str(params.export.opset), *tokenizers)
        harness.run_module("bench-inference", "writing models to compare with", "benchmarks.inference.material", *made, threads=1)
        counts = arguments.threads or sorted({1, os.cpu_count() or 1})
        speed = {threads: _speed(contenders, threads, arguments, scratch, console) for threads in counts}
        starts = _starts(contenders, 1, arguments, scratch)
    versions = harness.versions(PACKAGES)
    lines = tables.bar_lines(speed[1]) if 1 in speed else []
    machine = f"{processor()}, {os.cpu_count()} cores. {harness.named(versions)}."
    text = [f"# Inference speed, on one machine\n\n{machine}", "\n".join(f"- {line}" for line in lines)]
    for threads, results in speed.items():
        title = f"On {threads} core{'s' if threads > 1 else ''}"
        text.append(harness.show(console, title, tables.SPEED, tables.speed_rows(results), tables.TEXTS))
    title = "Files and cold start, on one core"
    text.append(harness.show(console, title, tables.START, tables.start_rows(starts), tables.TEXTS))
    console.print(*lines, sep="\n")
    labels = len(params.tasks[task].labels)
    method = METHOD.strip().format(labels=labels, rounds=arguments.rounds, seconds=arguments.seconds, starts=arguments.starts)
    text.append(f"## How it was measured\n\n{method}")
    content = {
        "cores": os.cpu_count(),
        "versions": versions,
        "seconds": arguments.seconds,
        "rounds": arguments.rounds,
        "speed": {str(threads): results for threads, results in speed.items()},
        "starts": starts,
    }
    harness.write_report(REPORT, text, content)


if __name__ == "__main__":
    main()

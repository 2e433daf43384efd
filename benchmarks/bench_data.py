"""Speed and memory of the data stages: `make bench-data`, or `python -m benchmarks.bench_data`.

The text of data/raw is repeated, with changes, up to several sizes. The classical recipe (a pandas frame and a function for each text) and
the data stages process it on the same cores. Each job runs in its own process, and the memory of all its processes is measured.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from benchmarks.data.job import JOBS
from benchmarks.shared.machine import processor
from compactlm import artifacts
from compactlm.text import markdown

REPORT = Path("reports/benchmarks/data")
FASTER, LONGER, LARGER = 10.0, 11.0, 1.3  # the targets
JUDGED_FROM = 100  # with fewer megabytes of text the start of processes dominates the time
WATCHED = 0.05  # seconds between two measurements of memory
Results = dict[str, dict[str, dict[str, float]]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-data", description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[10, 100, 1000], help="sizes of the text")
    parser.add_argument("--recipe-up-to", type=int, default=1000, help="largest size for the slow classical recipe")
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS), help="jobs to measure; near needs split")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--source", type=Path, default=artifacts.RAW, help="an artifact of documents to repeat")
    parser.add_argument("--scratch", type=Path, help="directory for the text, instead of the temporary directory of the system")
    return parser.parse_args()


def watch(command: list[str]) -> dict[str, float]:
    """Run a command that prints figures as JSON, and add the processor time and the peak memory of all its processes.

    Raises:
        SystemExit: the command fails; the end of its output is shown.
    """
    before, peak = os.times(), 0
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = psutil.Popen(command, stdout=output, stderr=errors)
        while process.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(WATCHED)
        output.seek(0)
        errors.seek(0)
        printed, complaint = output.read(), errors.read()
    if process.returncode:
        print(complaint[-3000:], file=sys.stderr)
        sys.exit(f"bench-data: {' '.join(command)} failed with status {process.returncode}; the end of its output is above")
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return {**json.loads(printed.splitlines()[-1]), "processor_seconds": round(spent, 3), "peak_megabytes": round(peak / 1e6, 1)}


def _resident(process: psutil.Process) -> int:
    """Return the memory of a process and its running children in bytes."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def measure(arguments: argparse.Namespace, scratch: Path) -> Results:
    """Return the figures of each job, by megabytes of text."""
    results: Results = {}
    for megabytes in sorted(arguments.megabytes):
        directory = scratch / str(megabytes)
        directory.mkdir()
        # In its own process, because on Linux a process inherits the peak memory of its parent.
        size = str(megabytes * 1_000_000)
        subprocess.run([sys.executable, "-m", "benchmarks.data.material", str(arguments.source), str(directory), size], check=True)
        found = results.setdefault(str(megabytes), {})
        for name in JOBS:
            if name not in arguments.jobs or (name == "recipe" and megabytes > arguments.recipe_up_to):
                continue
            command = [sys.executable, "-m", "benchmarks.data.job", name, str(directory), str(arguments.processes)]
            found[name] = watch(command)
            found[name]["megabytes_a_second"] = round(megabytes / found[name]["seconds"], 3)
            print(f"{megabytes} MB, {name}: {found[name]}", file=sys.stderr)
        shutil.rmtree(directory)
    return results


def verdicts(results: Results) -> dict[str, tuple[float, float, bool]]:
    """Return the figure, the target and whether it is reached, by name; jobs that were not measured are left out."""
    found: dict[str, tuple[float, float, bool]] = {}
    both = [size for size, jobs in results.items() if "recipe" in jobs and "bag-of-words" in jobs]
    for size in [size for size in both if int(size) >= JUDGED_FROM] or both[-1:]:
        faster = results[size]["recipe"]["seconds"] / results[size]["bag-of-words"]["seconds"]
        found[f"times as fast as the recipe, at {size} MB"] = (round(faster, 2), FASTER, faster >= FASTER)
    sizes = list(results)
    if len(sizes) > 1:
        small, large = sizes[-2], sizes[-1]
        growth = int(large) / int(small)
        for name in (name for name in ("bag-of-words", "ingest", "clean", "split") if name in results[small]):
            longer = results[large][name]["seconds"] / results[small][name]["seconds"] * 10 / growth
            memory = results[large][name]["peak_megabytes"] / results[small][name]["peak_megabytes"]
            found[f"{name}: time from {small} to {large} MB, for ten times the text"] = (round(longer, 2), LONGER, longer <= LONGER)
            found[f"{name}: memory from {small} to {large} MB"] = (round(memory, 2), LARGER, memory <= LARGER)
    return found


def tables(results: Results, machine: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    speed, near, targets = [], [], []
    for size, jobs in results.items():
        for name, one in jobs.items():
            times = [f"{one['seconds']:.1f}", f"{one['processor_seconds']:.1f}", f"{one['megabytes_a_second']:.2f}"]
            speed.append([f"{size} MB", name, *times, f"{one['rows'] / one['seconds']:,.0f}", f"{one['peak_megabytes']:,.0f}"])
            if name == "near":
                near.append([f"{size} MB", f"{one['rows']:,.0f}", f"{one['bytes_a_row']:,.0f}", f"{one['cluster_seconds']:.1f}"])
    for name, (figure, bar, held) in verdicts(results).items():
        targets.append([name, str(figure), f"{bar:g}", "held" if held else "not held"])
    text = ["text", "what", "near-duplicates", "target", "result"]
    spent = ["text", "what", "seconds", "processor seconds", "MB a second", "rows a second", "peak memory of all processes, MB"]
    parts = [
        "# Data stages: speed and memory",
        f"{machine['processor']}, {machine['processes']} processes.",
        markdown.table(spent, speed, text),
        markdown.table(["near-duplicates", "rows", "memory of the clusters, MB a million rows", "seconds"], near, text),
        markdown.table(["target", "measured", "bar", "result"], targets, text),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure, and write reports/benchmarks/data.json and data.md."""
    arguments = _arguments()
    try:
        artifacts.parts(arguments.source)
    except FileNotFoundError:
        sys.exit(f"bench-data: {arguments.source} contains no text; run `dvc repro ingest` first, or pass another artifact with --source")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="bench-data-") as scratch:
        results = measure(arguments, Path(scratch))
    machine = {"processor": processor(), "processes": arguments.processes, "minutes": round((time.perf_counter() - start) / 60, 1)}
    artifacts.write_json(REPORT.with_suffix(".json"), {"machine": machine, "results": results})
    artifacts.write_text(REPORT.with_suffix(".md"), tables(results, machine))
    Console().print(tables(results, machine), markup=False)


if __name__ == "__main__":
    main()

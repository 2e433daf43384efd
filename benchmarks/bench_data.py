"""Speed and memory of the data stages: `make bench-data`, or `python -m benchmarks.bench_data`.

The embedded text, repeated with changes to several sizes, goes through the classical recipe (a pandas frame and a function applied
to each text) and through the stages, on the same cores. Each runs in a process of its own, whose memory, with that of the
processes that it starts, is watched.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from benchmarks.data.job import JOBS
from benchmarks.machine import processor
from compactlm import artifacts
from compactlm.text import markdown

REPORT = Path("reports/benchmarks/data")
FASTER, LONGER, LARGER = 10.0, 11.0, 1.3  # what is asked for
JUDGED_FROM = 100  # megabytes, where there are as many; with fewer it is told how fast processes start
WATCHED = 0.05  # seconds between two looks at the memory
Results = dict[str, dict[str, dict[str, float]]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-data", description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[10, 100, 1000], help="of text")
    parser.add_argument("--recipe-up-to", type=int, default=1000, help="megabytes: the classical recipe is slow, and holds all in memory")
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS), help="what is measured; near needs split")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--source", type=Path, default=artifacts.RAW, help="an artifact of documents to repeat")
    parser.add_argument("--scratch", type=Path, help="where the text is written, in place of the system's directory for such files")
    return parser.parse_args()


def watch(command: list[str]) -> dict[str, float]:
    """Run a command that prints figures as JSON, and add the processor time and the peak of the memory of it and all that it starts.

    Raises:
        SystemExit: it fails; its last words are shown.
    """
    before = _processor_seconds()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        peak, done = [0], threading.Event()
        watcher = threading.Thread(target=_watch_memory, args=(process.pid, peak, done))
        watcher.start()
        output, errors = process.communicate()
        done.set()
        watcher.join()
    if process.returncode:
        print(errors[-3000:], file=sys.stderr)
        sys.exit(f"bench-data: {' '.join(command)} ended with status {process.returncode}; its last words are above")
    spent = {"processor_seconds": round(_processor_seconds() - before, 3), "peak_megabytes": round(peak[0] / 1e6, 1)}
    return {**json.loads(output.splitlines()[-1]), **spent}


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch_memory(process: int, peak: list[int], done: threading.Event) -> None:
    while not done.wait(WATCHED):
        try:
            parent = psutil.Process(process)
            peak[0] = max(peak[0], sum(_resident(one) for one in [parent, *parent.children(recursive=True)]))
        except psutil.Error:
            return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended since
        return 0


def measure(arguments: argparse.Namespace, scratch: Path) -> Results:
    """Return the figures of each job, by megabytes of text."""
    results: Results = {}
    for megabytes in sorted(arguments.megabytes):
        directory = scratch / str(megabytes)
        directory.mkdir()
        # In a process of its own: on Linux a process starts with the peak memory of the one that started it.
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
    """Return what is asked for: by name the figure, the bar, and whether it is held; what was not measured is left out."""
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
    speed, near, asked = [], [], []
    for size, jobs in results.items():
        for name, one in jobs.items():
            times = [f"{one['seconds']:.1f}", f"{one['processor_seconds']:.1f}", f"{one['megabytes_a_second']:.2f}"]
            speed.append([f"{size} MB", name, *times, f"{one['rows'] / one['seconds']:,.0f}", f"{one['peak_megabytes']:,.0f}"])
            if name == "near":
                near.append([f"{size} MB", f"{one['rows']:,.0f}", f"{one['bytes_a_row']:,.0f}", f"{one['cluster_seconds']:.1f}"])
    for name, (figure, bar, held) in verdicts(results).items():
        asked.append([name, str(figure), f"{bar:g}", "held" if held else "not held"])
    text = ["text", "what", "near-duplicates", "asked for", "result"]
    spent = ["text", "what", "seconds", "processor seconds", "MB a second", "rows a second", "peak memory of all processes, MB"]
    parts = [
        "# Data stages: speed and memory",
        f"{machine['processor']}, {machine['processes']} processes.",
        markdown.table(spent, speed, text),
        markdown.table(["near-duplicates", "rows", "memory of the clusters, MB a million rows", "seconds"], near, text),
        markdown.table(["asked for", "measured", "bar", "result"], asked, text),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure, and write reports/benchmarks/data.json and data.md."""
    arguments = _arguments()
    try:
        artifacts.parts(arguments.source)
    except FileNotFoundError:
        sys.exit(f"bench-data: there is no text in {arguments.source}; run `dvc repro ingest` first, or name another with --source")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="bench-data-") as scratch:
        results = measure(arguments, Path(scratch))
    machine = {"processor": processor(), "processes": arguments.processes, "minutes": round((time.perf_counter() - start) / 60, 1)}
    artifacts.write_json(REPORT.with_suffix(".json"), {"machine": machine, "results": results})
    artifacts.write_text(REPORT.with_suffix(".md"), tables(results, machine))
    Console().print(tables(results, machine), markup=False)


if __name__ == "__main__":
    main()

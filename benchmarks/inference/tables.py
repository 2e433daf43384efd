"""Tables of the results of all contenders."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.inference.jobs import BAR, Contender

Cells = list[str]
SPEED = ("batch", "tokens", "contender", "median ms", "95th percentile ms", "rows/s", "times the first", "peak MiB")
START = ("contender", "file MiB", "cold start s", "peak MiB")
TEXTS = {"contender"}  # left-aligned columns


def summarise(rounds: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Join the rounds of one contender: number of runs, median, 95th percentile and peak memory of each batch size and length."""
    points = []
    for found in zip(*rounds, strict=True):
        spent = [seconds for one in found for seconds in one["spent"]]
        batch, median = found[0]["batch"], statistics.median(spent)
        points.append(
            {
                "batch": batch,
                "tokens": found[0]["tokens"],
                "runs": len(spent),
                "median_ms": 1000 * median,
                "p95_ms": 1000 * float(np.percentile(spent, 95, method="inverted_cdf")),
                "rows_a_second": batch / median,
                "peak_bytes": max(one["peak_bytes"] for one in found),
            }
        )
    return points


def speed_rows(results: Sequence[dict[str, Any]]) -> list[Cells]:
    """Return a row for each measurement and contender. `results` have the same number of threads; the first is the baseline."""
    rows = []
    for number, base in enumerate(results[0]["points"]):
        for result in results:
            point = result["points"][number]
            times = base["median_ms"] / point["median_ms"]
            head = [str(point["batch"]), str(point["tokens"]), result["contender"]["name"]]
            spent = [f"{point['median_ms']:,.2f}", f"{point['p95_ms']:,.2f}", f"{point['rows_a_second']:,.1f}"]
            rows.append([*head, *spent, f"{times:.1f}", f"{point['peak_bytes'] / 2**20:,.0f}"])
    return rows


def start_rows(starts: Sequence[dict[str, Any]]) -> list[Cells]:
    """Return a row of cold starts for each contender."""
    return [
        [
            start["contender"]["name"],
            f"{start['file_bytes'] / 2**20:,.2f}",
            f"{statistics.median(start['seconds']):.2f}",
            f"{start['peak_bytes'] / 2**20:,.0f}",
        ]
        for start in starts
    ]


def bar_lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each contender with a target speed; `results` are those on one core."""

    def latency(result: dict[str, Any]) -> float:
        return next((float(point["median_ms"]) for point in result["points"] if (point["batch"], point["tokens"]) == BAR), 0.0)

    lines, base = [], latency(results[0])
    if not base:  # BAR was not measured
        return []
    for result in results:
        contender = Contender(**result["contender"])
        if contender.bar:
            times = base / latency(result)
            verdict = "reaches" if times >= contender.bar else "misses"
            lines.append(
                f"{contender.name}: {times:.0f} times as fast as {results[0]['contender']['name']} at batch {BAR[0]} with {BAR[1]} "
                f"tokens on one core ({latency(result):.2f} ms against {base:.1f} ms), which {verdict} the bar of {contender.bar}."
            )
    return lines

"""What `make bench-serve` reports: its aims and its tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.harness import new_console, show
from compactlm import artifacts

PER_REQUEST = 32  # texts
STEP = 10_000  # requests between two measurements of the memory
MOST_GROWTH = 0.05  # memory is flat if it grows by this share at most after the first STEP requests
SMALL_QUEUE = 4096  # tokens; with this queue a load of 256 connections is refused in part
MARKS = ("<!-- make bench-serve -->", "<!-- end of make bench-serve -->")


def best(loads: Sequence[dict[str, Any]]) -> float:
    """Return the largest rate of answers."""
    return float(max(one["requests_a_second"] for one in loads))


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


def aims_of(found: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each aim: what it is, what was measured, and whether it is held."""
    rows = []
    if "one_text" in found:
        loads = [load for name in ("one_text", "texts_32", "half_of_saturation", "overloaded") for load in found[name]]
        bad, p99 = sum(load["failed"] + load["reset"] for load in loads), found["half_of_saturation"][0]["p99_ms"]
        aim = "one text a request: at least 80 % of the smaller of the empty route's and the runtime's requests a second"
        rows += [
            [aim, f"{found['share_one_text']:.0%}", found["share_one_text"] >= 0.8],
            [
                "32 texts a request: at least 60 % of the runtime's texts a second",
                f"{found['share_32_texts']:.0%}",
                found["share_32_texts"] >= 0.6,
            ],
            ["99 % of the answers in less than 25 ms at half of the largest rate", f"{p99:.1f} ms", p99 < 25],
            ["no status 5xx and no reset connection", str(bad), bad == 0],
        ]
    if "growth" in found:
        last = sum(one["requests"] for one in found["memory"])
        aim = f"memory grows by at most {MOST_GROWTH:.0%} from request {STEP:,} to request {last:,}"
        rows.append([aim, f"{found['growth']:.1%}", found["growth"] <= MOST_GROWTH])
    return [[aim, value, "yes" if held else "no"] for aim, value, held in rows]


def report(found: Mapping[str, Any]) -> list[str]:
    """Show all figures; return the sections of the report."""
    console = new_console(130)
    sections = [show(console, "Aims", ["aim", "measured", "held"], aims_of(found), ("aim", "held"))]
    if "one_text" in found:
        alone, together = found["bare"]["1"], found["bare"][str(PER_REQUEST)]
        sections += [
            f"The bare runtime computes {alone:,.0f} texts a second one by one and {together:,.0f} in batches of {PER_REQUEST}. Client and "
            f"server share {found['cores']} cores.",
            table(console, "An empty route, one text a request", found["nothing"]),
            table(console, "/predict, one text a request", found["one_text"]),
            table(console, f"/predict, {PER_REQUEST} texts a request", found["texts_32"]),
            table(console, "/predict, one text a request, at half of its largest rate", found["half_of_saturation"]),
            table(console, f"/predict, {PER_REQUEST} texts a request, with a queue of {SMALL_QUEUE:,} tokens", found["overloaded"]),
        ]
    if "memory" in found:
        rows = [[f"{(at + 1) * STEP:,}", str(one["megabytes"])] for at, one in enumerate(found["memory"])]
        sections.append(show(console, "Memory over many requests of 1 to 200 words", ["requests", "MB"], rows, ()))
    return sections


def fill(page: Path, sections: Sequence[str]) -> None:
    """Put the sections between the two marks of a page in Markdown."""
    before, rest = page.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    content = "\n\n".join(section.replace("## ", "### ", 1) for section in sections)
    artifacts.write_text(page, f"{before}{MARKS[0]}\n\n{content}\n\n{MARKS[1]}{after}")

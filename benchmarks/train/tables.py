"""Tables of the contenders' results."""

from collections.abc import Sequence
from typing import Any

from benchmarks.train.arithmetic import amortised, together
from benchmarks.train.jobs import NAMES, PARTS

Cells = list[str]
SPEED = (
    "distillation",
    "tokens in the vocabulary",
    "contender",
    "tokens/s",
    "slowest to fastest third",
    "ratio to the first",
    "peak MiB",
    "of the matrix rate",
    "padding",
)
WORTH = ("distillation", "compactlm, cached, but with", "tokens/s", "slowest to fastest third", "the default is faster by")
PROFILE = ("distillation", "part of a step", "ms", "share")
TOGETHER = "both, in the epochs of params.yaml"
TEXTS = {*SPEED[:3], *WORTH[:2], *PROFILE[:2]}  # the columns that are aligned to the left


def _thirds(result: dict[str, Any]) -> str:
    return f"{min(result['windows']):,.0f} to {max(result['windows']):,.0f}"


def _find(results: Sequence[dict[str, Any]], **wanted: Any) -> dict[str, Any] | None:
    """Return the first result whose job has these values; by default without a left-out part or a profile."""
    wanted = {"part": "none", "profile": False, **wanted}
    return next((result for result in results if all(result["job"][key] == value for key, value in wanted.items())), None)


def speed_rows(results: Sequence[dict[str, Any]], rate: float) -> list[Cells]:
    """Return one row for each contender. `rate` is the matrix rate in operations per second."""
    rows = []
    for result in results:
        job = result["job"]
        if job["kind"] in ("machine", "cache") or job["part"] != "none" or job["profile"]:
            continue
        where = {"phase": job["phase"], "vocabulary": job["vocabulary"]}
        plain = _find(results, kind="sentence-transformers" if job["phase"] == "embedding" else "plain", **where)
        base = plain["tokens_a_second"] if plain else float("nan")
        head, speed = [job["phase"], f"{result['vocabulary_tokens']:,}"], result["tokens_a_second"]
        machine = [f"{result['peak_bytes'] / 2**20:,.0f}", f"{result['flops'] / rate:.0%}", f"{result['padding']:.0%}"]
        rows.append([*head, NAMES[job["kind"]], f"{speed:,.0f}", _thirds(result), f"{speed / base:.2f}", *machine])
        written = _find(results, kind="cache", **where)
        if job["kind"] == "cached" and written:
            # Training reads the cache in all epochs, and its writing is counted once.
            whole = amortised(speed, result["epoch_tokens"], result["epochs"], written["seconds"] + result["opened"])
            name = f"the same, its writing spread over {result['epochs']} epoch{'s' if result['epochs'] > 1 else ''}"
            rows.append([*head, name, f"{whole:,.0f}", "", f"{whole / base:.2f}", f"{written['peak_bytes'] / 2**20:,.0f}", "", ""])
        parts = [part for part in (_find(results, kind="table", **where), result) if part]
        if job["kind"] == "tokens" and len(parts) > 1:
            whole = together((part["tokens_a_second"], part["epochs"] * part["epoch_tokens"]) for part in parts)
            rows.append([*head, TOGETHER, f"{whole:,.0f}", "", f"{whole / base:.2f}", "", "", ""])
    return rows


def cache_lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return one sentence for each written cache."""
    return [
        f"Writing the cache of {result['job']['phase']} distillation at {result['vocabulary_tokens']:,} tokens took "
        f"{result['seconds']:.1f} s for {result['tokens']:,} tokens ({result['tokens'] / result['seconds']:,.0f} per second, "
        f"{1e9 * result['gigabytes'] / result['tokens']:,.0f} bytes for each token); training reads it from the disk batch by batch."
        for result in results
        if result["job"]["kind"] == "cache"
    ]


def worth_rows(results: Sequence[dict[str, Any]], vocabulary: str = "default") -> list[Cells]:
    """Return one row for each left-out optimisation, and one for the online teacher."""
    rows = []
    for phase in ("general", "task"):
        where = {"phase": phase, "vocabulary": vocabulary}
        base = _find(results, kind="cached", **where)
        if base is None:
            continue
        rows.append([phase, "no change", f"{base['tokens_a_second']:,.0f}", _thirds(base), "1.00"])
        found = [(name, _find(results, kind="cached", part=part, **where)) for part, name in PARTS.items()]
        for name, result in [("the teacher online", _find(results, kind="online", **where)), *found]:
            if result:
                times = base["tokens_a_second"] / result["tokens_a_second"]
                rows.append([phase, name, f"{result['tokens_a_second']:,.0f}", _thirds(result), f"{times:.2f}"])
    return rows


def profile_rows(results: Sequence[dict[str, Any]]) -> list[Cells]:
    """Return one row for each part of a step."""
    rows = []
    for result in results:
        parts: dict[str, float] = result.get("parts", {})
        for part, seconds in sorted(parts.items(), key=lambda item: -item[1]):
            share = seconds / sum(parts.values())
            rows.append([result["job"]["phase"], part, f"{1000 * seconds / result['steps']:.1f}", f"{share:.1%}"])
    return rows

"""The figures of sentence embeddings in words, for the summary, the page and the card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from compactlm.figures.figure import Figure
from compactlm.figures.numbers import percent, plain
from compactlm.report.findings import Findings

CONTESTANTS = {"teacher": "teacher", "student": "student", "static": "static table", "tfidf": "TF-IDF"}
NAMES = {
    "found_at_1": "question finds its passage at 1",
    "found_at_10": "question finds its passage in 10",
    "spearman": "Spearman with the teacher",
}
FEW_SHOT = "few_shot_"
SPEARMAN, CONTEXT = "spearman", "context"
BENCHMARK = ("found_at_1", "found_at_10", SPEARMAN, "few_shot_16", "few_shot_64", "few_shot_256", CONTEXT)
ALL = "all"


def embeddings(found: Findings) -> dict[str, Any]:
    """Return the figures of evaluate; empty if the student has no sentence embedding."""
    measured: dict[str, Any] = found.metrics["evaluate"].get("embedding", {})
    return measured


def figure_rows(measured: Mapping[str, Any], contestants: Iterable[str]) -> list[tuple[str, list[Figure | None]]]:
    """Return each figure's name with its value for each contestant, or None."""
    by_size = sorted((key for key in measured["student"] if key.startswith(FEW_SHOT)), key=lambda key: int(key.removeprefix(FEW_SHOT)))
    keys = [key for key in (*NAMES, *by_size) if key in measured["student"]]
    return [(key, [measured.get(name, {}).get(key) for name in contestants]) for key in keys]


def figure_title(key: str) -> str:
    """Return a figure's name in words."""
    return {**NAMES, CONTEXT: "context decides"}.get(key) or f"accuracy, {key.removeprefix(FEW_SHOT)} rows per label"


def shown(key: str) -> Callable[[float | None], str]:
    """Return the function that formats the values of a figure."""
    return plain if key == SPEARMAN else percent


def context_rows(measured: Mapping[str, Any], contestants: Iterable[str]) -> list[tuple[str, list[Figure | None]]]:
    """Return the share of right decisions of each contestant, for each kind of triple and, in the last row, for all kinds."""
    context = measured["context"]
    kinds = [*(kind for kind in sorted(context) if kind != ALL), *([ALL] if ALL in context else [])]
    return [(kind, [context[kind].get(name) for name in contestants]) for kind in kinds]


def sentence(found: Findings) -> str | None:
    """Return the summary of the sentence embedding; None if there is none."""
    measured = embeddings(found)
    if not measured:
        return None
    parts = []
    for key, text in (("found_at_1", "finds the passage of a question in {}"), (SPEARMAN, "")):
        if key in measured["student"]:
            others = [f"{CONTESTANTS[name]} {shown(key)(measured[name][key].value)}" for name in ("teacher", "static") if name in measured]
            own = shown(key)(measured["student"][key].value)
            parts.append(f"{text.format(own)} ({', '.join(others)})" if key != SPEARMAN else f"agrees with its teacher by {own} (Spearman)")
    smallest = next((key for key, _ in figure_rows(measured, ()) if key.startswith(FEW_SHOT)), None)
    if smallest and "student" in measured.get("kept", {}):
        kept = percent(measured["kept"]["student"][smallest].value)
        parts.append(f"keeps {kept} of its accuracy with {smallest.removeprefix(FEW_SHOT)} labelled rows per label")
    return f"As a sentence encoder, the student {_joined(parts)}." if parts else None


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

"""Students under several mitigations, side by side: collected from evaluate.json, as a table and as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.text import markdown

ROLES = ("teacher", "student")
FIGURES = ("disparate_impact", "statistical_parity_difference", "equal_opportunity_difference", "average_odds_difference")
ENDS = {"value": "", "low": "_low", "high": "_high"}

Figure = dict[str, float]  # value, low and high; empty where it was not judged
Found = dict[str, dict[str, Figure]]  # by name of the figure and by role


def summarise(evaluated: Mapping[str, Any]) -> Found:
    """Return the figures that a mitigation may move, with their intervals, by name and role.

    Args:
        evaluated: the content of reports/metrics/evaluate.json.
    """
    return dict(_figures(evaluated))


def _figures(evaluated: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Figure]]]:
    fairness = evaluated["fairness"]
    for task, found in evaluated["tasks"].items():
        quality = found["quality"]
        yield f"{task}, accuracy", {role: dict(quality[role]["accuracy"]) if quality["judged"] else {} for role in ROLES}
        for attribute, audit in fairness["tasks"].get(task, {}).items():
            for pair in (key for key in audit if "_to_" in key):
                for figure in FIGURES:
                    one = audit[pair][figure]
                    yield _name(task, attribute, pair, figure), {role: _figure(one, role, one["judged"]) for role in ROLES}
            swapped = audit.get("counterfactual", {"judged": 0})
            flips = swapped.get("flips", {})
            yield _name(task, attribute, "counterfactual flips"), {role: _figure(flips, role, swapped["judged"]) for role in ROLES}
    for attribute, one in fairness["stereotypes"].items():
        gap = one.get("log_odds_gap", {})
        yield _name("masked words", attribute, "stereotype log odds gap"), {role: _figure(gap, role, one["judged"]) for role in ROLES}


def _name(*parts: str) -> str:
    return ", ".join(part.replace("_", " ") for part in parts)


def _figure(figures: Mapping[str, float], role: str, judged: int) -> Figure:
    return {name: figures[role + end] for name, end in ENDS.items() if role + end in figures} if judged else {}


def check_teacher(found: Mapping[str, Found]) -> None:
    """Raise CompactLMError where students had different teachers, so that they are not to be compared."""
    accuracies = {name: [by_role["teacher"] for key, by_role in one.items() if key.endswith(", accuracy")] for name, one in found.items()}
    first, *others = accuracies
    for other in others:
        if accuracies[other] != accuracies[first]:
            raise CompactLMError(
                f"the teachers of {first} and {other} differ, so that their students are not to be compared; run `make mitigation` again"
            )


def table(found: Mapping[str, Found]) -> str:
    """Return a table in Markdown: a figure a row, the teacher and the student under each mitigation a column each."""
    students = list(found)
    head = ["figure", "teacher", *(f"student, {name}" for name in students)]
    rows = []
    for figure in dict.fromkeys(figure for one in found.values() for figure in one):
        teacher = next(one[figure]["teacher"] for one in found.values() if figure in one)
        rows.append([figure, show(teacher), *(show(found[name].get(figure, {}).get("student", {})) for name in students)])
    return markdown.table(head, rows, head[:1])


def show(figure: Figure) -> str:
    """Return a figure with its interval as a person reads it."""
    if "value" not in figure:
        return "not judged"
    interval = f" ({figure['low']:.3f} to {figure['high']:.3f})" if {"low", "high"} <= set(figure) else ""
    return f"{figure['value']:.3f}{interval}"


def write(directory: Path, found: Mapping[str, Found], overrides: Sequence[str]) -> str:
    """Write mitigation.json and mitigation.md, and return the latter.

    Args:
        directory: where to write.
        found: by mitigation.
        overrides: how the students were trained, otherwise than the default.
    """
    artifacts.write_json(directory / "mitigation.json", {"overrides": list(overrides), "mitigations": found})
    lines = [
        "# What mitigation does to the student",
        "",
        "Students of one teacher and one shape, each trained once, with the same seed, on rows mitigated in another way. In brackets: 95 %",
        "intervals over test rows, or over occupations. Parity is 1 for disparate impact and 0 for differences, flips and the gap.",
        f"Otherwise than the default: {', '.join(overrides) or 'nothing'}.",
        "",
        table(found),
    ]
    content = "\n".join(lines) + "\n"
    artifacts.write_text(directory / "mitigation.md", content)
    return content

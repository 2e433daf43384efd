"""Students trained under several mitigations: their figures from evaluate.json, as a table and as files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.fairness.audit.predictions import FIGURES
from compactlm.figures.figure import read_figures
from compactlm.figures.numbers import interval
from compactlm.report.sections.mitigation import ACCURACY, MASKED_WORDS, Compared
from compactlm.text import markdown

TEXT = """# Students under each mitigation

Students of one teacher and one shape, trained with the same seed on rows that were mitigated in different ways. Brackets
hold 95 % confidence intervals over test rows, or over occupations. Parity is 1 for disparate impact and 0 for differences,
flips and the gap. Settings that differ from the default: {settings}.

{table}
"""


def summarise(evaluated: Mapping[str, Any]) -> list[Compared]:
    """Return the figures that a mitigation may change, from the content of reports/metrics/evaluate.json."""
    metrics, compared = read_figures(evaluated), []
    fairness = metrics["fairness"]
    for task, found in metrics["tasks"].items():
        quality = found["quality"]
        compared.append(Compared(task, "", "", ACCURACY, quality["teacher"]["accuracy"], quality["student"]["accuracy"]))
        for attribute, audit in fairness["tasks"].get(task, {}).items():
            for pair, figures in audit["pairs"].items():
                both = [(name, figures[name]["teacher"], figures[name]["student"]) for name in FIGURES]
                compared += [Compared(task, attribute, pair, *one) for one in both]
            if "counterfactual" in audit:
                flips = audit["counterfactual"]["flips"]
                compared.append(Compared(task, attribute, "", "counterfactual_flips", flips["teacher"], flips["student"]))
    for attribute, one in fairness["stereotypes"].items():
        gap = one["log_odds_gap"]
        compared.append(Compared(MASKED_WORDS, attribute, "", "stereotype_log_odds_gap", gap["teacher"], gap["student"]))
    return compared


def check_teacher(found: Mapping[str, Sequence[Compared]]) -> None:
    """Raise CompactLMError if the students had different teachers."""
    accuracies = {name: {one.task: one.teacher.value for one in figures if one.figure == ACCURACY} for name, figures in found.items()}
    first, *others = accuracies
    for other in others:
        if accuracies[other] != accuracies[first]:
            raise CompactLMError(f"the students of {first} and {other} have different teachers; run `make mitigation` again")


def table(found: Mapping[str, Sequence[Compared]]) -> str:
    """Return a table in Markdown with a row for each figure, and a column for the teacher and each student."""
    students = {name: {one.name: one for one in figures} for name, figures in found.items()}
    rows = []
    for name in dict.fromkeys(name for figures in students.values() for name in figures):
        teacher = next(figures[name].teacher for figures in students.values() if name in figures)
        rows.append([name, interval(teacher), *(interval(figures[name].student) for figures in students.values() if name in figures)])
    head = ["figure", "teacher", *(f"student, {name}" for name in students)]
    return markdown.table(head, rows, head[:1])


def write(directory: Path, found: Mapping[str, Sequence[Compared]], overrides: Sequence[str]) -> str:
    """Write mitigation.json and mitigation.md, and return the latter. `overrides` are the settings that differ from the default."""
    mitigations = {name: [one.to_json() for one in figures] for name, figures in found.items()}
    artifacts.write_json(directory / "mitigation.json", {"overrides": list(overrides), "mitigations": mitigations})
    content = TEXT.format(settings=", ".join(overrides) or "none", table=table(found))
    artifacts.write_text(directory / "mitigation.md", content)
    return content

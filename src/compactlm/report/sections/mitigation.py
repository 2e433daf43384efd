"""What each mitigation of bias does to the student: from runs of their own, where `make mitigation` made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compactlm.params import ModelLimits
from compactlm.report.blocks import Block, Cell, Chart, Section, Table, Text
from compactlm.report.drawings.interval_chart import Line, Scale, draw_intervals
from compactlm.report.findings import Findings
from compactlm.figures.numbers import Figure, figures, plain, points, shares, words
from compactlm.report.sections.fairness import DIFFERENCES
from compactlm.report.sections.training import SAME_TEACHER, other_settings

NAMES = {"none": "no mitigation", "reweighing": "reweighing", "counterfactual": "counterfactual", "both": "both"}
ACCURACY, IMPACT = "accuracy", "disparate impact"

Students = Mapping[str, Mapping[str, Mapping[str, Figure]]]  # by mitigation, name of the figure, and role


def mitigation(found: Findings) -> Section | None:
    """Return the section; None where no students were trained under mitigations, or they had another teacher than this run's."""
    students = comparable_students(found)
    if not students:
        return None
    names = dict.fromkeys(name for one in students.values() for name in one)
    listed = sorted(names, key=lambda name: (_last(name) != ACCURACY, name))
    blocks: list[Block] = [Text(sentence) for sentence in _effects(students, listed)]
    blocks += [_table(students, listed), *_charts(students, listed, found.params.bias_audit.gate.model)]
    lead = (
        "Students of one teacher and one shape, each trained once on rows that were mitigated in another way, from runs of their own "
        "(`make mitigation`), not from this one. Disparate impact is a ratio (parity: 1), the other figures of bias are 0 at parity. Where "
        "intervals overlap, chance may explain the difference."
    )
    changed = other_settings(found, found.mitigation["overrides"])
    if changed:
        lead += f" They were trained otherwise, so hold them against each other and not against this run: {'; '.join(changed)}."
    return Section("mitigation", "Mitigation of bias", lead, blocks)


def comparable_students(found: Findings) -> Students:
    """Return the students in the order of NAMES, where they had the teacher that this run has: figures of other data would mislead."""
    students: dict[str, Any] = found.mitigation.get("mitigations", {})
    for one in students.values():
        for name, task in found.tasks.items():
            value = one.get(f"{name}, {ACCURACY}", {}).get("teacher", {}).get("value")
            if value is None or abs(value - task["teacher"]) > SAME_TEACHER:
                return {}
    return {name: students[name] for name in NAMES if name in students}


def _last(name: str) -> str:
    return name.rpartition(", ")[2]


def _student(students: Students, chosen: str, name: str) -> Figure:
    return students[chosen].get(name, {}).get("student", {})


def _effects(students: Students, listed: list[str]) -> Iterator[str]:
    """Yield what each mitigation does to disparate impact and to accuracy, where both can be told."""
    for name in listed if "none" in students else ():
        if _last(name) != IMPACT:
            continue
        task, *where, _ = name.split(", ")
        [accuracy] = [one for one in listed if _last(one) == ACCURACY and words(one) == f"{task}, {ACCURACY}"]
        before = [_student(students, "none", one) for one in (name, accuracy)]
        for chosen in students:
            after = [_student(students, chosen, one) for one in (name, accuracy)]
            if chosen == "none" or not all("value" in one for one in (*before, *after)):
                continue
            yield (
                f"{NAMES[chosen].capitalize()}: disparate impact of what it says on {task} ({', '.join(where)}) is "
                f"{plain(after[0]['value'])}, and {plain(before[0]['value'])} without mitigation; accuracy changes by "
                f"{points(after[1]['value'] - before[1]['value'])}."
            )


def _table(students: Students, listed: list[str]) -> Table:
    rows: list[list[str | Cell]] = []
    for name in listed:
        show = shares if _last(name) == ACCURACY else figures
        teacher = next(one[name]["teacher"] for one in students.values() if name in one)
        cells = [teacher, *(_student(students, chosen, name) for chosen in students)]
        rows.append([words(name), *(show(cell) if "value" in cell else Cell(show(cell), "weak") for cell in cells)])
    head = ["figure", "teacher", *(f"student, {NAMES[name]}" for name in students)]
    return Table("The student under each mitigation, on test rows", head, rows)


def _charts(students: Students, listed: list[str], limits: ModelLimits) -> Iterator[Chart]:
    by_attribute: dict[str, list[Line]] = {}
    for name in listed:
        if _last(name).replace(" ", "_") in DIFFERENCES:
            task, attribute, pair, figure = name.split(", ")
            drawn = {NAMES[chosen]: _student(students, chosen, name) for chosen in students}
            if any(drawn.values()):
                by_attribute.setdefault(f"{task}, {attribute}", []).append(Line(f"{pair}: {figure}", drawn))
    limit = min(getattr(limits, figure) for figure in DIFFERENCES)
    for where, lines in by_attribute.items():
        title = f"Differences between groups under each mitigation, {where}"
        told = f"The shaded band, {limit:g} either way, is within the gate's limit for the student; the dashed line is parity."
        scale = Scale("difference", reference=0.0, limits=(-limit, limit))
        yield Chart(f"{title}. {told}", draw_intervals(title, told, scale, [NAMES[name] for name in students], lines))

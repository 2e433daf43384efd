"""The effect of each mitigation of bias on the student, from the separate runs of `make mitigation`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from compactlm.errors import CompactLMError
from compactlm.figures.figure import Figure, read_figures
from compactlm.figures.numbers import percent, plain, points, words
from compactlm.report.blocks import Block, Cell, Section, Table, Text
from compactlm.report.drawings.interval_chart import Line
from compactlm.report.findings import Findings
from compactlm.report.sections.fairness import DIFFERENCES, RATIO, draw_differences
from compactlm.report.sections.training import SAME_TEACHER, other_settings

NAMES = {"none": "no mitigation", "reweighing": "reweighing", "counterfactual": "counterfactual", "both": "both"}
ACCURACY, MASKED_WORDS = "accuracy", "masked words"


@dataclasses.dataclass(frozen=True)
class Compared:
    """A figure of teacher and student."""

    task: str  # or MASKED_WORDS
    attribute: str  # or ""
    groups: str  # a pair, or ""
    figure: str  # its name, such as ACCURACY
    teacher: Figure
    student: Figure

    @property
    def name(self) -> str:
        """The task, the attribute, the groups and the figure in words."""
        return ", ".join(words(part) for part in (self.task, self.attribute, self.groups, self.figure) if part)

    def to_json(self) -> dict[str, Any]:
        """Return the content as JSON."""
        named = {name: getattr(self, name) for name in ("task", "attribute", "groups", "figure")}
        return {**named, "teacher": self.teacher.to_json(), "student": self.student.to_json()}


Students = Mapping[str, Mapping[str, Compared]]  # by mitigation and name of the figure


def mitigation(found: Findings) -> Section | None:
    """Return the section; None without students under mitigations, or if their teacher is not the teacher of this run."""
    students = comparable_students(found)
    if not students:
        return None
    figures = {name: one for by_name in students.values() for name, one in by_name.items()}
    figures = dict(sorted(figures.items(), key=lambda item: (item[1].figure != ACCURACY, item[0])))
    blocks: list[Block] = [Text(sentence) for sentence in _effects(students, figures)]
    blocks.append(_table(students, figures))
    for where, lines in _lines(students, figures).items():
        title = f"Differences between groups under each mitigation, {where}"
        blocks += draw_differences(title, [NAMES[name] for name in students], lines)
    lead = (
        "Students of one teacher and one shape, each trained once with another mitigation of the train rows, in separate runs "
        "(`make mitigation`). Disparate impact is a ratio (parity: 1). The other figures of bias are 0 at parity. Where confidence "
        "intervals overlap, the difference may be due to chance."
    )
    return Section("mitigation", "Mitigation of bias", lead + other_settings(found, found.mitigation["overrides"]), blocks)


def comparable_students(found: Findings) -> Students:
    """Return the students in the order of NAMES if their teacher has the accuracy of this run's teacher.

    Raises:
        CompactLMError: mitigation.json was written by an older version.
    """
    read: dict[str, Any] = found.mitigation.get("mitigations", {})
    if not all(isinstance(rows, list) for rows in read.values()):
        raise CompactLMError("reports/mitigation/mitigation.json was written by an older version; run `make mitigation` again or delete it")
    students = {name: {one.name: one for one in (Compared(**read_figures(row)) for row in rows)} for name, rows in read.items()}
    for figures in students.values():
        teachers = {one.task: one.teacher.value for one in figures.values() if one.figure == ACCURACY}
        for name, task in found.tasks.items():
            value = teachers.get(name)
            if value is None or abs(value - task["teacher"]) > SAME_TEACHER:
                return {}
    return {name: students[name] for name in NAMES if name in students}


def _effects(students: Students, figures: Mapping[str, Compared]) -> Iterator[str]:
    """Yield the effect of each mitigation on disparate impact and on accuracy."""
    for name, one in figures.items() if "none" in students else ():
        if one.figure != RATIO:
            continue
        accuracy = next(other.name for other in figures.values() if other.figure == ACCURACY and other.task == one.task)
        for chosen, own in students.items():
            before, after = ([by_name[key].student.value for key in (name, accuracy)] for by_name in (students["none"], own))
            if chosen == "none" or None in (*before, *after):
                continue
            yield (
                f"{NAMES[chosen].capitalize()}: the disparate impact of the student's predictions on {words(one.task)} "
                f"({words(one.attribute)}, {words(one.groups)}) is {plain(after[0])}, against {plain(before[0])} without mitigation. "
                f"Accuracy changes by {points((after[1] or 0.0) - (before[1] or 0.0))}."
            )


def _table(students: Students, figures: Mapping[str, Compared]) -> Table:
    rows: list[list[str | Cell]] = []
    for name, one in figures.items():
        show = percent if one.figure == ACCURACY else plain
        rows.append([name, *(Cell.of(figure, show) for figure in (one.teacher, *(own[name].student for own in students.values())))])
    head = ["figure", "teacher", *(f"student, {NAMES[name]}" for name in students)]
    return Table("The student under each mitigation, on test rows", head, rows)


def _lines(students: Students, figures: Mapping[str, Compared]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for name, one in figures.items():
        if one.figure in DIFFERENCES:
            drawn = {NAMES[chosen]: own[name].student for chosen, own in students.items()}
            found.setdefault(f"{words(one.task)}, {words(one.attribute)}", []).append(
                Line(f"{words(one.groups)}: {words(one.figure)}", drawn)
            )
    return found

"""The results of the experiments, as a table and as files."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd

from benchmarks.shapes.config import Shape
from compactlm import artifacts
from compactlm.figures.numbers import count, percent, plain

EVALUATED, DISTILLED, TAUGHT = ((artifacts.METRICS / f"{stage}.json").as_posix() for stage in ("evaluate", "distill-train", "teacher"))


@dataclasses.dataclass(frozen=True)
class Point:
    """The result of one shape on test rows, except `validation_retention`, which chooses the shape.

    Accuracy and retention are means over the tasks. A retention is None if the teacher does not beat guessing.
    """

    name: str
    layers: int
    hidden_size: int
    parameters: int
    share: float
    teacher: float
    student: float
    retention: float | None
    retention_above_chance: float | None
    masked_words_teacher: float | None
    masked_words_student: float
    masked_words_retention: float | None
    validation_retention: float | None


def _mean(tasks: Mapping[str, Mapping[str, float]], key: str) -> float | None:
    values = [task[key] for task in tasks.values() if key in task]
    return mean(values) if len(values) == len(tasks) else None


def _validation_retention(metrics: Mapping[str, Any], tasks: Sequence[str]) -> float | None:
    """Return the mean over tasks of student over teacher on validation rows."""
    teachers = [metrics[TAUGHT][name]["accuracy"]["value"] for name in tasks]
    if not all(teachers):
        return None
    students = [metrics[DISTILLED][name]["validation_accuracy"]["value"] for name in tasks]
    return mean(student / teacher for student, teacher in zip(students, teachers, strict=True))


def figures(evaluated: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's figures of test rows, named as in Point, from the content of reports/metrics/evaluate.json."""
    size, tasks, words = evaluated["size"], evaluated["tasks"], evaluated["mlm"]
    return {
        "parameters": size["student_parameters"],
        "share": size["ratio"],
        "teacher": mean(task["teacher"] for task in tasks.values()),
        "student": mean(task["student"] for task in tasks.values()),
        "retention": _mean(tasks, "retention"),
        "retention_above_chance": _mean(tasks, "retention_above_chance"),
        "masked_words_teacher": words.get("teacher_top1"),
        "masked_words_student": words["student_top1"],
        "masked_words_retention": words.get("retention"),
    }


def point(shape: Shape, metrics: Mapping[str, Any]) -> Point:
    """Return a shape's result from its metrics by file."""
    return Point(
        name=shape.name,
        layers=shape.layers,
        hidden_size=shape.hidden_size,
        **figures(metrics[EVALUATED]),
        validation_retention=_validation_retention(metrics, list(metrics[EVALUATED]["tasks"])),
    )


def rows(points: Sequence[Point], latencies: Mapping[str, float]) -> list[list[str]]:
    """Return the table's rows, smallest shape first, as a person reads them."""
    table = []
    for one in points:
        latency = plain(latencies[one.name], 2) if one.name in latencies else ""
        shares = (one.share, one.teacher, one.student, one.retention, one.retention_above_chance, one.masked_words_retention)
        table.append([one.name, count(one.parameters), *map(percent, shares), latency])
    return table


def verdict(points: Sequence[Point], enough: float) -> str:
    """Return the sentence that recommends a size. Validation rows choose it; the sentence adds its retention on test rows."""
    judged = sorted((one for one in points if one.validation_retention is not None), key=lambda one: one.parameters)
    if not judged:
        return "No shape could be judged, because the teacher has an accuracy of 0."
    keeping = [one for one in judged if one.validation_retention >= enough]
    if not keeping:
        best = max(judged, key=lambda one: one.validation_retention)
        return (
            f"No shape keeps at least {percent(enough)} of the teacher's accuracy on validation rows; "
            f"{best.name} keeps most, {percent(best.validation_retention)}."
        )
    one = keeping[0]
    tested = "not judged on test rows" if one.retention is None else f"{percent(one.retention)} on test rows"
    above = "" if one.retention_above_chance is None else f" ({percent(one.retention_above_chance)} above chance)"
    return (
        f"The smallest shape that keeps at least {percent(enough)} of the teacher's accuracy on validation rows is {one.name}: "
        f"{percent(one.validation_retention)}, and {tested}{above}, with {count(one.parameters)} parameters, "
        f"{percent(one.share)} of the teacher's."
    )


def write(directory: Path, points: Sequence[Point], latencies: Mapping[str, float], found: Mapping[str, Any]) -> None:
    """Write frontier.json, which is the same on any machine with the same number of threads, and frontier.tsv, with latencies in ms.

    `found` is further content of frontier.json: how the shapes were trained.
    """
    shapes = [dataclasses.asdict(one) for one in points]
    artifacts.write_json(directory / "frontier.json", {**found, "shapes": shapes})
    table = pd.DataFrame([{**shape, "latency_ms": latencies.get(shape["name"])} for shape in shapes])
    artifacts.write_text(directory / "frontier.tsv", table.to_csv(sep="\t", float_format="%.4f", index=False))

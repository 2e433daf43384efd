"""The summary table of `make train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from compactlm.artifacts import EMBEDDING, MLM
from compactlm.figures.figure import Figure
from compactlm.figures.numbers import count, percent

FOUND = "found_at_1"


def _rows(rows: int, figure: dict[str, Any]) -> str:
    return f"{count(rows)}{'' if Figure.from_json(figure).judged else ', too few to judge'}"


def _retention(student: Figure, teacher: Figure) -> float | None:
    return student.value / teacher.value if student.value is not None and teacher.value else None


def print_summary(metrics: dict[str, Any], teacher: str, student: Path, console: Console) -> None:
    """Print the table. `metrics` is the content of reports/metrics/evaluate.json, and `student` is the directory of its models."""
    size = metrics["size"]
    table = Table(title="What the student keeps", title_justify="left")
    for column in ("task", "test rows", "chance", "teacher", "student", "retention", "above chance"):
        table.add_column(column, justify="left" if column == "task" else "right")
    for name, task in metrics["tasks"].items():
        shares = [percent(task.get(key)) for key in ("chance", "teacher", "student", "retention", "retention_above_chance")]
        table.add_row(name, _rows(task["rows"], next(iter(task["quality"]["student"].values()))), *shares)
    mlm = metrics["mlm"]
    shares = [percent(mlm.get(key)) for key in ("frequency_top1", "teacher_top1", "student_top1", "retention")]
    table.add_row("masked words", _rows(mlm["rows"], mlm["quality"]["student"]["top1"]), *shares, "")
    embedding = metrics.get("embedding", {})
    if FOUND in embedding.get("student", {}):
        student_found, teacher_found = (Figure.from_json(embedding[role][FOUND]) for role in ("student", "teacher"))
        shares = [percent(teacher_found.value), percent(student_found.value), percent(_retention(student_found, teacher_found))]
        table.add_row("questions that find their passage", _rows(student_found.rows or 0, embedding["student"][FOUND]), "", *shares, "")
    console.print(table)
    if "teacher_top1" not in mlm:
        console.print("Masked words of the teacher are not judged, because it has no masked-language-model head.", soft_wrap=True)
    console.print(f"Teacher     {teacher}, {count(size['teacher_parameters'])} parameters")
    console.print(f"Student     {count(size['student_parameters'])} parameters, {percent(size['ratio'])} of the teacher's")
    models = ", ".join(f"{student}/{name}" for name in (MLM, *([EMBEDDING] if embedding else []), *metrics["tasks"]))
    console.print(f"Models      {models}", soft_wrap=True)
    console.print("Next        dvc metrics diff    dvc plots show    dvc exp run -S student=4x96    make help", soft_wrap=True)

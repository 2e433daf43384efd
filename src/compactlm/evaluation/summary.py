"""The table that `make train` ends with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from compactlm.artifacts import MLM
from compactlm.figures.figure import MINIMUM_ROWS


def _share(metrics: dict[str, Any], key: str) -> str:
    return f"{metrics[key]:.1%}" if key in metrics else "not judged"


def _mark(metrics: dict[str, Any]) -> str:
    return "" if metrics["rows"] >= MINIMUM_ROWS else ", too few to judge"


def print_summary(metrics: dict[str, Any], teacher: str, student: Path, console: Console) -> None:
    """Print the table that `make train` ends with.

    Args:
        metrics: the content of reports/metrics/evaluate.json.
        teacher: the teacher's name.
        student: the directory of the student's models.
        console: where to print.
    """
    size = metrics["size"]
    table = Table(title="What the student keeps", title_justify="left")
    for column in ("task", "test rows", "chance", "teacher", "student", "retention", "above chance"):
        table.add_column(column, justify="left" if column == "task" else "right")
    for name, task in metrics["tasks"].items():
        shares = [_share(task, key) for key in ("chance", "teacher", "student", "retention", "retention_above_chance")]
        table.add_row(name, f"{task['rows']:,}{_mark(task)}", *shares)
    mlm = metrics["mlm"]
    shares = [_share(mlm, key) for key in ("teacher_top1", "student_top1", "retention")]
    table.add_row("masked words", f"{mlm['rows']:,}{_mark(mlm)}", "", *shares, "")
    console.print(table)
    console.print(f"Teacher     {teacher}, {size['teacher_parameters']:,} parameters")
    console.print(f"Student     {size['student_parameters']:,} parameters, {size['ratio']:.1%} of the teacher's")
    models = ", ".join(f"{student}/{name}" for name in (MLM, *metrics["tasks"]))
    console.print(f"Models      {models}", soft_wrap=True)
    console.print("Next        dvc metrics diff    dvc plots show    dvc exp run -S student=4x96    make help", soft_wrap=True)

"""The output of `compactlm doctor`: the contestants' metrics, the faults by subject, and the verdict in one line."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compactlm.doctor import metrics
from compactlm.doctor.chance import most_frequent
from compactlm.doctor.examined import ROLES, Run, TaskRun, accuracy
from compactlm.doctor.registry import Diagnosis, examine
from compactlm.errors import CompactLMError
from compactlm.figures.metric_names import metric_name, shown
from compactlm.figures.numbers import count, percent

LINES = ("metric", "validation rows", "chance", "TF-IDF", "random student", "student before training", "student", "teacher")


def diagnose(run: Run, console: Console) -> int:
    """Examine a run, print the findings, and return the exit status of `Diagnosis`."""
    found = examine(run)
    table = _contestants(run)
    if table.row_count:
        console.print(table)
    _print_findings(found, console)
    return found.exit_status


def _contestants(run: Run) -> Table:
    table = Table("", title="Metrics on validation rows", title_justify="left")
    columns: list[tuple[str, ...]] = [LINES]
    for name in run.tasks:
        try:
            task = run.task(name)
            if not task.can_be_judged:
                continue
            columns.append(tuple(_cells(task)))
            table.add_column(name, justify="right")
        except (FileNotFoundError, CompactLMError):  # the findings name it
            continue
    for line in zip(*columns, strict=True) if len(columns) > 1 else ():
        table.add_row(*line)
    return table


def _cells(task: TaskRun) -> list[str]:
    """Return the cells of a task, as LINES name them."""
    rows = count(len(task.rows("validation")))
    if not task.has_one_label:  # TF-IDF is for labels
        write = shown(task.task.metric)
        return [metric_name(task.task.metric), rows, write(metrics.chance(task)), "", *(write(metrics.value(task, role)) for role in ROLES)]
    expected = task.expected("validation")
    answers = (task.baseline.validation, *(getattr(task, role) for role in ROLES))
    return [metric_name("accuracy"), rows, *map(percent, [most_frequent(expected), *(accuracy(expected, one) for one in answers)])]


def _print_findings(found: Diagnosis, console: Console) -> None:
    for subject, faults in found.faults.items():
        unjudged = found.unjudged[subject]
        state = "fault" if faults else "not judged" if unjudged else "no fault"
        console.print(f"{subject}: {state}", style="red" if faults else None, soft_wrap=True)
        for fault in faults:
            console.print(escape(f"  {fault.name}: {fault.sentence}"), soft_wrap=True)
        for one in unjudged:
            console.print(escape(f"  not judged: {one.sentence}"), soft_wrap=True)
    first = next((subject for subject, faults in found.faults.items() if faults), None)
    if first:
        others = "; the later faults may follow from it" if sum(map(bool, found.faults.values())) > 1 else ""
        verdict = f"the fault is in {first} ({found.faults[first][0].name}){others}"
    else:
        verdict = "no fault found" if found.exit_status == 0 else "no fault found, but not everything could be judged"
    console.print(escape(f"Verdict: {verdict}"), soft_wrap=True)

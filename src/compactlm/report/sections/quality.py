"""Quality: each figure of both models, which label is taken for which, and whether a probability means what it says."""

from __future__ import annotations

from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.evaluation.task_metrics import METRICS
from compactlm.figures.judging import MINIMUM_ROWS, judged
from compactlm.report.blocks import Block, Cell, Chart, Heading, Section, Table, Text
from compactlm.report.drawings.lines import Axis, Series, draw_lines
from compactlm.report.findings import Findings, confusion, reliability
from compactlm.report.numbers import TOO_FEW, count, figures, gaps, percent, shares, words
from compactlm.report.verdict import difference

IN_PERCENT = ("accuracy",)
NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "matthews": "Matthews correlation",
    "auroc": "area under the ROC curve",
    "log_loss": "log loss, nats",
    "calibration_error": "calibration error",
}


def quality(found: Findings) -> Section:
    """Return the section."""
    blocks: list[Block] = []
    for name, task in found.tasks.items():
        if len(found.tasks) > 1:
            blocks.append(Heading(words(name)))
        blocks += [_figures(name, task), _tests(task), *_confusions(found, name), _reliability(found, name)]
    lead = "Both models on the same test rows. Intervals in brackets hold the true value in 95 of 100 samples of rows."
    return Section("quality", "Quality", lead, blocks)


def _figures(name: str, task: dict[str, Any]) -> Table:
    quality = task["quality"]
    rows = []
    for metric in METRICS:
        show, difference_of = (shares, gaps) if metric in IN_PERCENT else (figures, figures)
        values = [show(quality[role].get(metric, {})) for role in ROLES]
        rows.append([NAMES[metric], *values, difference_of(quality["difference"].get(metric, {}))])
    note = "" if quality["judged"] else f"{TOO_FEW[0].upper()}{TOO_FEW[1:]}."
    caption = (
        f"Quality on {words(name)}, {count(task['rows'])} test rows; the most frequent label alone is right on {percent(task['chance'])}"
    )
    return Table(caption, ["figure", "teacher", "student", "student minus teacher"], rows, note)


def _tests(task: dict[str, Any]) -> Text:
    quality = task["quality"]
    alone = quality["mcnemar"]
    return Text(
        f"The two give the same label on {shares(quality['agreement'])} of the rows. The teacher alone is right on "
        f"{alone['teacher_alone']:,}, the student alone on {alone['student_alone']:,}: {difference(quality)} (McNemar's exact test)."
    )


def _confusions(found: Findings, name: str) -> list[Block]:
    labels = found.params.tasks[name].labels
    tables: list[Block] = []
    for role in ROLES:
        rows: list[list[str | Cell]] = []
        for label, counts in zip(labels, confusion(found.answers[name], role, len(labels)), strict=True):
            total = sum(counts)
            rows.append([f"is {label}", *(_cell(one, total) for one in counts), count(total)])
        head = ["rows", *(f"said {label}" for label in labels), "all"]
        tables.append(Table(f"Confusion matrix of the {role}, {words(name)}", head, rows, narrow=True))
    return tables


def _cell(rows: int, total: int) -> Cell:
    share = rows / total if total else 0.0
    return Cell(f"{rows:,} ({percent(share, 0)})", shade=round(share, 3))


def _reliability(found: Findings, name: str) -> Chart | Text:
    bins = found.params.evaluate.calibration_bins
    series, told = [], []
    for role in ROLES:
        points = [(one.confidence, one.accuracy) for one in reliability(found.answers[name], role, bins) if judged(one.rows)]
        series.append(Series(role, points))
        error = found.tasks[name]["quality"][role].get("calibration_error", {})
        told.append(f"{role} {figures(error)}")
    if not all(one.points for one in series):
        return Text(f"Reliability on {words(name)} is not drawn: no probability has {MINIMUM_ROWS} rows.")
    across = Axis("probability of the label that is given", 0.0 if _many(found, name) else 0.5, 1.0, percent=True)
    up = Axis("share that is right", 0.0, 1.0, percent=True)
    title = f"Reliability on {words(name)}"
    svg = draw_lines(
        title, f"Points on the dashed line mean what they say. Calibration error: {'; '.join(told)}.", across, up, series, True
    )
    return Chart(
        f"{title}: on the dashed line a probability means what it says; points of fewer than {MINIMUM_ROWS} rows are left "
        f"out. Calibration error: {'; '.join(told)}.",
        svg,
    )


def _many(found: Findings, name: str) -> bool:
    return len(found.params.tasks[name].labels) > 2

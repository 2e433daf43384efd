"""Quality: each figure of both models, the confusion of labels, and the reliability of probabilities."""

from __future__ import annotations

from typing import Any

from compactlm.evaluation.paired import ROLES
from compactlm.figures.numbers import count, interval, percent, plain, points, stated, words
from compactlm.report.blocks import Block, Cell, Chart, Section, Table, Text, with_headings
from compactlm.report.drawings.line_chart import Axis, Series, draw_lines
from compactlm.report.findings import Findings, confusion, reliability
from compactlm.report.verdict import difference
from compactlm.tasks.label_metrics import METRICS

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
    blocks = with_headings(
        (words(name), [_figures(name, task), _tests(task), *_confusions(found, name), _reliability(found, name)])
        for name, task in found.tasks.items()
    )
    confidence = percent(found.params.bootstrap.confidence, 0)
    lead = f"Both models on the same test rows. Brackets hold {confidence} confidence intervals."
    return Section("quality", "Quality", lead, blocks)


def _figures(name: str, task: dict[str, Any]) -> Table:
    quality = task["quality"]
    rows: list[list[str | Cell]] = []
    for metric in METRICS:
        show, show_difference = (percent, points) if metric == "accuracy" else (plain, plain)
        cells = [Cell.of(quality[role][metric], show) for role in ROLES]
        rows.append([NAMES[metric], *cells, Cell.of(quality["difference"][metric], show_difference)])
    baseline = f"always predicting the most frequent label is right on {percent(task['chance'])}"
    caption = f"Quality on {words(name)}, {count(task['rows'])} test rows; {baseline}"
    return Table(caption, ["figure", *ROLES, "student minus teacher"], rows)


def _tests(task: dict[str, Any]) -> Text:
    quality = task["quality"]
    alone = quality["mcnemar"]
    return Text(
        f"Both models predict the same label for {stated(quality['agreement'], percent)} of the rows. Only the teacher is right on "
        f"{alone['teacher_alone']:,} rows, and only the student on {alone['student_alone']:,}: {difference(quality)} "
        "(McNemar's exact test)."
    )


def _confusions(found: Findings, name: str) -> list[Block]:
    labels = found.params.tasks[name].labels
    tables: list[Block] = []
    for role in ROLES:
        rows: list[list[str | Cell]] = []
        for label, counts in zip(labels, confusion(found.answers[name], role, len(labels)), strict=True):
            total = sum(counts)
            rows.append([f"actual {label}", *(_cell(one, total) for one in counts), count(total)])
        head = ["rows", *(f"predicted {label}" for label in labels), "all"]
        tables.append(Table(f"Confusion matrix of the {role}, {words(name)}", head, rows, narrow=True))
    return tables


def _cell(rows: int, total: int) -> Cell:
    share = rows / total if total else 0.0
    return Cell(f"{rows:,} ({percent(share, 0)})", shade=round(share, 3))


def _reliability(found: Findings, name: str) -> Chart | Text:
    bins = found.params.evaluate.calibration_bins
    series = [
        Series(
            role,
            [(one.confidence, one.accuracy.value or 0.0) for one in reliability(found.answers[name], role, bins) if one.accuracy.judged],
        )
        for role in ROLES
    ]
    if not all(one.points for one in series):
        return Text(f"There is no reliability diagram of {words(name)}: no bin of probabilities has enough rows to be judged.")
    errors = "; ".join(f"{role} {interval(found.tasks[name]['quality'][role]['calibration_error'])}" for role in ROLES)
    many = len(found.params.tasks[name].labels) > 2
    across = Axis("probability of the predicted label", 0.0 if many else 0.5, 1.0, percent=True)
    title = f"Reliability on {words(name)}"
    note = f"On the dashed line, probabilities equal the share of correct predictions. Calibration error: {errors}."
    svg = draw_lines(title, note, across, Axis("share of correct predictions", 0.0, 1.0, percent=True), series, diagonal=True)
    return Chart(f"{title}. {note} Points with too few rows to be judged are left out.", svg)

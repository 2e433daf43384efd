"""Quality: each figure of both models, the confusion of labels, and the reliability of probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from compactlm.evaluation.paired import ROLES
from compactlm.figures.metric_names import metric_name, shown, shown_difference
from compactlm.figures.numbers import count, interval, percent, stated, words
from compactlm.report.blocks import Block, Cell, Chart, Section, Table, Text, with_headings
from compactlm.report.drawings.line_chart import Axis, Series, draw_lines
from compactlm.report.findings import Findings, confusion, reliability
from compactlm.report.verdict import difference
from compactlm.tasks import kind_of

MANY = 12  # labels from which on a matrix is too wide to read
CONFUSED = 10  # pairs of labels that are shown instead
LOWEST = 10  # labels that are shown instead


def quality(found: Findings) -> Section:
    """Return the section."""
    blocks = with_headings(
        (words(name), [_figures(found, name, task), _tests(found, name, task), *_labels(found, name)]) for name, task in found.tasks.items()
    )
    confidence = percent(found.params.bootstrap.confidence, 0)
    lead = f"Both models on the same test rows. Brackets hold {confidence} confidence intervals."
    return Section("quality", "Quality", lead, blocks)


def _figures(found: Findings, name: str, task: dict[str, Any]) -> Table:
    quality, settings = task["quality"], found.params.tasks[name]
    rows: list[list[str | Cell]] = []
    for metric in kind_of(settings).metrics:
        cells = [Cell.of(quality[role][metric], shown(metric)) for role in ROLES]
        rows.append([metric_name(metric), *cells, Cell.of(quality["difference"][metric], shown_difference(metric))])
    return Table(
        f"Quality on {words(name)}, {count(task['rows'])} test rows; {_baseline(found, name, task)}",
        ["figure", *ROLES, "student minus teacher"],
        rows,
    )


def _baseline(found: Findings, name: str, task: dict[str, Any]) -> str:
    metric = found.params.tasks[name].metric
    if metric == "accuracy":
        return f"always predicting the most frequent label is right on {percent(task['chance'])}"
    return f"the {metric_name(metric)} of the best constant answer is {shown(metric)(task['chance'])}"


def _tests(found: Findings, name: str, task: dict[str, Any]) -> Text:
    quality, metric = task["quality"], metric_name(found.params.tasks[name].metric)
    same = f"Both models predict the same label for {stated(quality['agreement'], percent)} of the rows. " if "agreement" in quality else ""
    if "mcnemar" not in quality:
        return Text(f"{same}Paired bootstrap of the {metric}: {difference(quality)}.")
    alone = quality["mcnemar"]
    return Text(
        f"{same}Only the teacher is right on {alone['teacher_alone']:,} rows, and only the student on {alone['student_alone']:,}: "
        f"{difference(quality)} (McNemar's exact test)."
    )


def _labels(found: Findings, name: str) -> list[Block]:
    """Return the blocks about the confusion of labels and the reliability of probabilities of a classification."""
    task = found.params.tasks[name]
    if kind_of(task).name != "classification":
        return []
    tables = _confusions(found, name) if len(task.labels) <= MANY else _most_confused(found, name)
    return [*tables, _reliability(found, name)]


def _most_confused(found: Findings, name: str) -> list[Block]:
    """Return the pairs of labels that the student confuses most, and the labels that it finds least often."""
    labels = found.params.tasks[name].labels
    counts = np.array(confusion(found.answers[name], "student", len(labels)))
    by_teacher = np.array(confusion(found.answers[name], "teacher", len(labels)))
    totals = counts.sum(axis=1)
    pairs = sorted(
        ((int(rows), at, to) for (at, to), rows in np.ndenumerate(counts) if at != to and rows), key=lambda one: (-one[0], *one[1:])
    )
    confused: list[list[str | Cell]] = [
        [labels[at], labels[to], count(rows), count(int(by_teacher[at, to])), count(int(totals[at]))] for rows, at, to in pairs[:CONFUSED]
    ]
    right = sorted((counts[at, at] / totals[at], at) for at in range(len(labels)) if totals[at])
    lowest: list[list[str | Cell]] = [
        [labels[at], percent(float(share)), percent(float(by_teacher[at, at] / totals[at])), count(int(totals[at]))]
        for share, at in right[:LOWEST]
    ]
    absent = sum(not total for total in totals)
    note = f"{absent:,} of {len(labels):,} labels have no test row." if absent else ""
    return [
        Table(
            f"Labels that the student confuses most, {words(name)}", ["actual", "predicted", "rows", "rows of the teacher", "all"], confused
        ),
        Table(f"Labels that the student finds least often, {words(name)}", ["label", *reversed(ROLES), "rows"], lowest, note),
    ]


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

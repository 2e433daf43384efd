"""The student's weaknesses, as sentences chosen by the measured numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compactlm.evaluation.limits import SLICE_GAP
from compactlm.figures.figure import Figure, Status
from compactlm.figures.metric_names import SHARES, metric_name, shown, shown_difference
from compactlm.figures.numbers import interval, limited, listed, percent, perplexity, quoted, status, words
from compactlm.report.findings import Findings
from compactlm.report.sections.weakness import robustness_figures, slice_figures, worst

CALIBRATED = {Status.OK: "are well calibrated", Status.UNDECIDED: "may be poorly calibrated", Status.VIOLATED: "are poorly calibrated"}
ROBUST = {Status.OK: "is robust", Status.UNDECIDED: "may be brittle", Status.VIOLATED: "is brittle"}
WEAK = {Status.UNDECIDED: "may be weak", Status.VIOLATED: "is weak"}


def limitations(found: Findings) -> list[str]:
    """Return the sentences."""
    sentences = list(_reading(found))
    for name, task in found.tasks.items():
        sentences += _task(words(name), task, found.params.tasks[name].metric)
    return [*sentences, *_language_model(found)]


def _reading(found: Findings) -> Iterator[str]:
    length = found.params.tokenize.maximum_length
    measured = found.metrics["tokenize"]
    cut, vocabulary = measured["test"]["cut_rows"], measured["vocabulary"]
    rows = "1 labelled test row was" if cut == 1 else f"{cut:,} labelled test rows were"
    yield f"It was trained on texts of at most {length} tokens. Longer texts are truncated; {rows}."
    yield (
        f"Its vocabulary has {vocabulary['tokens']:,} tokens. It covers {percent(vocabulary['coverage'].value)} of the tokens of the "
        "training text in the teacher's segmentation. The others are split into smaller tokens. "
        f"{percent(measured['test']['unknown_rate'].value, 3)} of the test tokens are unknown to it."
    )


def _task(name: str, task: dict[str, Any], metric: str) -> Iterator[str]:
    quality, figure, show, show_gap = task["quality"], metric_name(metric), shown(metric), shown_difference(metric)
    own, gap = quality["student"][metric], quality["difference"][metric]
    significant = (quality.get("mcnemar") or quality["bootstrap"])["significant"]
    if not own.judged:
        yield f"Its quality on {name} is {status(own)}. Do not rely on these figures."
        return
    if significant and gap.value < 0:
        worse = "less accurate" if metric == "accuracy" else f"worse by the {figure}"
        yield f"On {name} it is significantly {worse} than its teacher: {interval(own, show)}, a difference of {show_gap(gap.value)}."
    elif not significant:
        yield (
            f"On {name} the {task['rows']:,} test rows show no significant difference from its teacher. The true difference of {figure} "
            f"may lie between {show_gap(gap.low)} and {show_gap(gap.high)}."
        )
    if "calibration_error" in quality["student"]:
        yield from _calibration(name, quality["student"]["calibration_error"])
    yield from _slices(name, task, metric)
    yield from _robustness(name, task["robustness"], figure)
    kept = task["forgetting"]["student"]["kept"]
    if kept.status in (Status.VIOLATED, Status.UNDECIDED):
        yield (
            f"Its {name} model is not a masked language model. Under the head of the masked language model, its body keeps "
            f"{interval(kept, percent)} of the correct first choices, {limited(kept)}. Use the `mlm` model to fill masked words."
        )


def _calibration(name: str, error: Figure) -> Iterator[str]:
    if error.judged:
        advice = "" if error.status is Status.OK else " Do not take them literally."
        yield f"Its probabilities on {name} {CALIBRATED[error.status]}: calibration error {interval(error)}, {limited(error)}.{advice}"


def _slices(name: str, task: dict[str, Any], metric: str) -> Iterator[str]:
    lowest, show = worst(task, "student"), shown(metric)
    if lowest is not None:
        figure = task["worst_slice"]["student"]
        below = f"{100 * SLICE_GAP:g} points" if metric in SHARES else f"{SLICE_GAP:g}"
        yield (
            f"Its worst slice of {name} is {quoted(lowest)}: {metric_name(metric)} {interval(figure, show)}, {limited(figure)}. The limit "
            f"is {below} below the {metric_name(metric)} on all rows, {show(task['student'])}."
        )
    few = [part for part, figures in slice_figures(task) if not figures["student"].judged]
    if few:
        yield f"These slices of {name} have too few test rows to be judged: {listed(few)}."


def _robustness(name: str, found: dict[str, Any], figure: str) -> Iterator[str]:
    over_all = found["all"]["student"]["kept"]
    if not over_all.judged:
        yield f"Its robustness on {name} is {status(over_all)}."
        return
    judged = {perturbation: case["student"] for perturbation, case in robustness_figures(found) if case["student"].judged}
    hardest = min(judged, key=lambda perturbation: (judged[perturbation].value, perturbation))
    kept = judged[hardest]
    yield (
        f"It {ROBUST[kept.status]}: under the worst perturbation on {name} ({hardest}), it keeps {interval(kept, percent)} of its "
        f"{figure}, {limited(kept)}."
    )


def _language_model(found: Findings) -> Iterator[str]:
    mlm = found.metrics["evaluate"]["mlm"]
    first = mlm["quality"]["student"]["top1"]
    if not first.judged:
        yield f"Its quality on masked words is {status(first)}."
        return
    if first.status in WEAK:
        share = f"{interval(first, percent)} of masked words, {limited(first)}"
        yield f"As a masked language model it {WEAK[first.status]}: its first choice is right for {share}. It cannot write text."
    judged = {source: one["student"]["pseudo_perplexity"] for source, one in mlm["sources"].items()}
    judged = {source: figure for source, figure in judged.items() if figure.judged}
    if len(judged) > 1:
        hardest = max(judged, key=lambda source: (judged[source].value, source))
        yield f"It models text of {words(hardest)} worst (pseudo-perplexity {interval(judged[hardest], perplexity)})."

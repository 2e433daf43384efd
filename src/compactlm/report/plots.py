"""The tables behind `dvc plots`: one file for each plot, with all tasks in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from compactlm.evaluation.paired import ROLES, Answers
from compactlm.fairness.audit import labels
from compactlm.fairness.audit.training_data import STEPS
from compactlm.fairness.outcomes import outcome_name
from compactlm.figures.numbers import words
from compactlm.report.findings import Findings, confusion, reliability
from compactlm.report.sections.fairness import DIFFERENCES
from compactlm.report.sections.quality import MANY
from compactlm.report.sections.text import AUGMENTATION, augmentation_figures
from compactlm.report.sections.training import comparable_shapes
from compactlm.report.sections.weakness import robustness_figures, slice_figures

DIGITS = 6

Row = tuple[object, ...]


def plot_tables(found: Findings) -> Iterator[tuple[str, Sequence[str], list[Row]]]:
    """Yield the file name, the columns and the rows of each table below reports/plots/report; numbers have six digits after the point.

    The templates in .dvc/plots draw a panel for each value of `task` and a colour for each value of `series`.
    """
    for name, (columns, read) in TABLES.items():
        rows = [tuple(round(cell, DIGITS) if isinstance(cell, float) else cell for cell in row) for row in read(found)]
        yield f"{name}.tsv", ("task", "series", *columns), rows


def _losses(found: Findings) -> Iterator[Row]:
    for phase, losses in found.curves.items():
        for loss, curve in losses.items():
            yield from ((words(phase), words(loss), int(step), value) for step, value in curve)


def _diversity(found: Findings) -> Iterator[Row]:
    for step, name in AUGMENTATION.items():
        yield from (("all tasks", name, figure, value) for figure, value in augmentation_figures(found, step).items())


def _classified(found: Findings) -> Iterator[tuple[str, Answers]]:
    """Yield the answers of the classification tasks."""
    yield from ((task, answers) for task, answers in found.answers.items() if answers.kind.name == "classification")


def _confusion(found: Findings) -> Iterator[Row]:
    """Yield the confusion matrix of each model. With many labels, only pairs that occur are included."""
    for task, answers in _classified(found):
        names = found.params.tasks[task].labels
        for role in ROLES:
            for actual, counts in zip(names, confusion(answers, role, len(names)), strict=True):
                cells = zip(names, counts, strict=True)
                yield from ((task, role, actual, predicted, rows) for predicted, rows in cells if rows or len(names) <= MANY)


def _reliability(found: Findings) -> Iterator[Row]:
    for task, answers in _classified(found):
        for role in ROLES:
            bins = reliability(answers, role, found.params.evaluate.calibration_bins)
            yield from ((task, role, one.confidence, one.accuracy.value, one.accuracy.rows) for one in bins if one.accuracy.judged)
        yield from ((task, "ideal", end, end, 0) for end in (0, 1))


def _slices(found: Findings) -> Iterator[Row]:
    for task, measured in found.tasks.items():
        for name, figures in slice_figures(measured):
            yield from ((task, role, name, figure.value) for role, figure in figures.items() if figure.judged)


def _robustness(found: Findings) -> Iterator[Row]:
    for task, measured in found.tasks.items():
        for name, case in robustness_figures(measured["robustness"]):
            yield from ((task, role, name, case[role].value) for role in ROLES if case[role].judged)


def _data_fairness(found: Findings) -> Iterator[Row]:
    """Yield the judged figures of the train rows at each step, for the favourable label."""
    for task, audit in found.metrics["bias-audit"].items():
        outcome = outcome_name(found.params.bias_audit, task, found.params.tasks[task])
        for name, steps in audit["attributes"].items():
            for step, caption in STEPS.items():
                for pair, by_label in steps[step]["pairs"].items():
                    figures = [by_label[outcome][figure] for figure in labels.FIGURES]
                    if all(figure.judged for figure in figures):
                        yield task, caption, f"{words(name)}, {words(pair)}", *(figure.value for figure in figures)


def _fairness(found: Findings) -> Iterator[Row]:
    """Yield the judged differences between groups (parity: 0). Ratios have another scale; only the report shows them."""
    for task, attributes in found.fairness.get("tasks", {}).items():
        for name, audit in attributes.items():
            for pair, figures in audit["pairs"].items():
                for figure in (one for one in DIFFERENCES if one in figures):
                    compared = f"{words(figure)}: {words(name)}, {words(pair)}"
                    yield from ((task, role, compared, figures[figure][role].value) for role in ROLES if figures[figure][role].judged)


def _sizes(found: Findings) -> Iterator[Row]:
    """Yield the share of the teacher's parameters and of its accuracy, for both models and for the shapes of the frontier."""
    share = found.metrics["evaluate"]["size"]["ratio"]
    for task, own in found.tasks.items():
        yield task, "this run", share, own["student"] / own["teacher"] if own["teacher"] else 0.0, "student"
        yield task, "this run", 1.0, 1.0, "teacher"
        shapes = sorted((one["share"], one["retention"], one["name"]) for one in comparable_shapes(found))
        yield from ((task, "shapes of the frontier", *shape) for shape in shapes)


# By name: the columns after `task` and `series`, and a function from the findings to rows.
TABLES: dict[str, tuple[Sequence[str], Callable[[Findings], Iterator[Row]]]] = {
    "losses": (("step", "value"), _losses),
    "diversity": (("figure", "value"), _diversity),
    "confusion": (("actual", "predicted", "rows"), _confusion),
    "reliability": (("probability", "right", "rows"), _reliability),
    "slices": (("slice", "accuracy"), _slices),
    "robustness": (("perturbation", "kept"), _robustness),
    "data-fairness": (("compared", *labels.FIGURES), _data_fairness),
    "fairness": (("figure", "value"), _fairness),
    "sizes": (("share", "kept", "model"), _sizes),
}

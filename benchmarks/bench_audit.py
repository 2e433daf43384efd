"""Audit the student for bias on more text than the test rows: every labelled row, swapped words, and sentences from templates.

    python -m benchmarks.bench_audit                # all tasks with protected attributes
    python -m benchmarks.bench_audit --teacher      # the teacher too, for the paired rows; takes minutes

Four measurements, by task and attribute:

- `test`: the shipped student on test rows, as `evaluate` measures it.
- `recipe`: held-out predictions of all labelled rows by heads on frozen features of the general student. These are figures of the recipe
  and not of the shipped student; they show what its features and the labelled rows lead to.
- `paired`: the shipped student on each labelled row that names a group, and on the same row with other words. The student has learnt from
  the train rows among them.
- `templates`: the shipped student on sentences that differ in the person alone.

The figures are written to reports/audit.json.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.fairness.cross_fitting import FOLDS, Held, frozen_features, groups_of, held_out
from benchmarks.fairness.templates import compare, read_sentences
from benchmarks.shared.harness import new_console, params_of
from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.bert import models
from compactlm.bert.runtime import prepare
from compactlm.evaluation.classifier import Reader
from compactlm.evaluation.contestants import Role, load_reader
from compactlm.fairness.audit.predictions import audit_groups
from compactlm.fairness.corrected import correct
from compactlm.fairness.gate import Gate
from compactlm.fairness.swaps.counterfactual import Swapper
from compactlm.fairness.swaps.flips import count_flips
from compactlm.figures.bootstrap import Array, Resampler
from compactlm.figures.figure import Figure, find_figures, write_figures
from compactlm.figures.numbers import stated, words
from compactlm.inference.runtime import directories
from compactlm.params import Params
from compactlm.tasks import kind_of

REPORT = Path("reports/audit.json")
PARTS = ("test", "recipe", "paired", "templates")


def labelled_rows(task: str) -> dict[str, list[Document]]:
    """Return the labelled rows of a task by split."""
    return {split: [row for row in artifacts.read_documents(artifacts.SPLIT / split) if row.task == task] for split in artifacts.SPLITS}


def readers_of(params: Params, task: str, teacher: bool) -> dict[str, Reader]:
    """Return the classifier of the student, and of the teacher if it is wanted."""
    roles = [Role("teacher", artifacts.TEACHER, params.teacher.maximum_length, artifacts.BASE)] if teacher else []
    roles.append(Role("student", artifacts.STUDENT, params.tokenize.maximum_length))
    return {role.name: load_reader(role, task, params.tasks[task], params.batch_tokens) for role in roles}


def cross_fit(params: Params, rows: Sequence[Document], labels: Sequence[str], folds: int) -> Held:
    """Return held-out predictions of labelled rows by heads on frozen features of the general student."""
    directory = directories.find_base(artifacts.STUDENT).path
    body, tokenizer = models.body_of(models.load_base(directory)), models.load_tokenizer(directory)
    texts, expected = [row.text for row in rows], np.array([list(labels).index(str(row.label)) for row in rows])
    length = params.tokenize.maximum_length
    return held_out(lambda: frozen_features(body, tokenizer, length, texts), expected, groups_of(rows), len(labels), folds)


def group_figures(rows: Sequence[Document], name: str, probabilities: Array, labels: Sequence[str], task: str, params: Params) -> Any:
    """Return the figures between different rows, from a student's probabilities."""
    favorable = list(labels).index(params.bias_audit.favorable_labels[task])
    expected, said = np.array([list(labels).index(str(row.label)) for row in rows]), probabilities.argmax(axis=1)
    right, predicted = {"student": (said == expected).tolist()}, {"student": (said == favorable).tolist()}
    resampler = Resampler.of(params.bootstrap, params.seed)
    return audit_groups(rows, name, (expected == favorable).tolist(), right, predicted, params.bias_audit, resampler).metrics()


def audit(params: Params, task: str, folds: int, teacher: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of a task by attribute and part, and what is known of the cross-fitting."""
    settings, labels = params.bias_audit, params.tasks[task].labels
    splits, readers = labelled_rows(task), readers_of(params, task, teacher)
    everything = [row for rows in splits.values() for row in rows]
    favorable, resampler = labels.index(settings.favorable_labels[task]), Resampler.of(params.bootstrap, params.seed)
    held, sentences = cross_fit(params, everything, labels, folds), read_sentences()
    on_test = readers["student"].probabilities([row.text for row in splits["test"]])
    found: dict[str, Any] = {}
    for name in settings.protected.get(task, []):
        attribute = settings.attributes[name]
        parts: dict[str, Any] = {
            "test": group_figures(splits["test"], name, on_test, labels, task, params),
            "recipe": group_figures(everything, name, held.probabilities, labels, task, params),
        }
        if attribute.swaps:
            swapper = Swapper(attribute)
            named = [row for row in everything if swapper.mentions(row.text)]
            answers = {role: reader.answers for role, reader in readers.items()}
            before = {role: answer(named) for role, answer in answers.items()}
            one, label = params.tasks[task], settings.favorable_labels[task]
            parts["paired"] = count_flips(named, attribute, one, label, before, answers, settings, resampler).metrics()
        for pair, made in sentences.get(name, {}).items():
            predict = {"student": readers["student"].probabilities}
            parts.setdefault("templates", {})[pair] = compare(made, predict, favorable, settings.gate.model, resampler)
        found[name] = parts
    about = {
        "rows": len(everything),
        "folds": folds,
        "accuracy": held.accuracy,
        "test_accuracy_of_the_student": _accuracy(splits, on_test, labels),
    }
    return found, {**about, "seconds": round(held.seconds, 1)}


def _accuracy(splits: dict[str, list[Document]], on_test: Array, labels: Sequence[str]) -> float:
    return float(np.mean([labels[said] == row.label for said, row in zip(on_test.argmax(axis=1), splits["test"], strict=True)]))


def half_width(figure: Figure) -> float | None:
    """Return half the width of the interval."""
    return None if figure.low is None or figure.high is None else (figure.high - figure.low) / 2


def show(figures: dict[str, Any]) -> Table:
    """Return a table of the differences of parity of the student, with half the widths of their intervals."""
    table = Table(title="Parity differences of the student (parity: 0)", title_justify="left")
    for column in ("task, attribute", "measured on", "figure", "rows", "value (interval), status", "half width"):
        table.add_column(column, justify="right" if column in ("rows", "half width") else "left")
    for path, figure in find_figures(figures):
        task, attribute, part = path[:3]
        if path[-1] != "student" or "parity_difference" not in path[-2]:
            continue
        half = half_width(figure)
        cells = (
            f"{task}, {attribute}",
            part,
            words(path[-2]),
            f"{figure.rows or 0:,}",
            stated(figure),
            "" if half is None else f"{half:.3f}",
        )
        table.add_row(*cells)
    return table


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=FOLDS, help="folds of the cross-fitting")
    parser.add_argument("--teacher", action="store_true", help="compare the paired rows with the teacher")
    options = parser.parse_args()
    params = params_of("bench_audit")
    prepare(params.threads, params.seed)
    figures, fitted = {}, {}
    for task in params.tasks:
        if params.bias_audit.protected.get(task) and kind_of(params.tasks[task]).name == "classification":
            figures[task], fitted[task] = audit(params, task, options.folds, options.teacher)
    corrected = correct(figures, params.bootstrap.confidence)
    gate = Gate.of("model", corrected)
    console = new_console(160)
    console.print(show(corrected))
    for task, about in fitted.items():
        console.print(
            f"{task}: the heads of the recipe have an accuracy of {about['accuracy']:.1%} on {about['rows']:,} held-out rows in "
            f"{about['seconds']} s; the shipped student has {about['test_accuracy_of_the_student']:.1%} on test rows"
        )
    console.print(*gate.lines(), sep="\n", soft_wrap=True)
    artifacts.write_json(REPORT, write_figures({"tasks": corrected, "cross_fitting": fitted, "gate": gate.metrics()}))


if __name__ == "__main__":
    main()

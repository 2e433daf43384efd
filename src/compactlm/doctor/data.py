"""Faults of the rows: labels, texts and splits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compactlm.doctor.chance import beats_chance, in_best_order
from compactlm.doctor.examined import FEWEST_ROWS, Run, TaskRun, named
from compactlm.doctor.findings import Fault, Finding, Unjudged

DUPLICATES = 0.005  # greatest share of a held-out split's rows whose text is in another split


def check(run: Run) -> Iterator[Finding]:
    """Yield empty texts, rows in two splits, unknown labels, a single label, and labels that no model can predict."""
    yield from _empty(run)
    yield from _across_splits(run)
    for name in run.tasks:
        task = run.task(name)
        yield from _labels(task)
        if task.can_be_judged:
            yield from _shuffled(task)


def _empty(run: Run) -> Iterator[Finding]:
    for split in ("train", "validation"):
        empty = [row.id for row in run.rows[split] if not any(character.isalnum() for character in row.text)]
        if empty:
            yield Fault(
                "empty text",
                f"{len(empty):,} of {len(run.rows[split]):,} {split} rows have a text without letters and digits ({named(empty)}); "
                "check the column of the text in ingest.sources, and the filters of clean",
            )


def _across_splits(run: Run) -> Iterator[Finding]:
    texts = {split: {" ".join(row.text.lower().split()) for row in rows} for split, rows in run.rows.items()}
    ids = {split: {row.id for row in rows} for split, rows in run.rows.items()}
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = max(len(texts[first] & texts[second]), len(ids[first] & ids[second]))
        if shared > DUPLICATES * len(ids[second]):
            yield Fault(
                "duplicates across splits",
                f"{shared:,} rows are in both {first} and {second}, so held-out figures are too high; set split.across_splits to "
                "leave_out or prevent and run `dvc repro`",
            )


def _labels(task: TaskRun) -> Iterator[Finding]:
    every = {}
    for split in ("train", "validation"):
        every[split] = [row.label for row in task.run.rows[split] if row.task == task.name and row.parent is None]
    for split, labels in every.items():
        unknown = sorted({str(label) for label in labels} - set(task.labels))
        if unknown:
            yield Fault(
                "unknown labels",
                f"{split} rows of {task.name} have the labels {named(unknown)}, which tasks.{task.name}.labels does not name; correct it",
            )
    if len(every["train"]) < FEWEST_ROWS or len(every["validation"]) < FEWEST_ROWS:
        counts = ", ".join(f"{len(labels)} {split}" for split, labels in every.items())
        yield Unjudged(f"{task.name} has too few labelled rows to judge accuracy ({counts}; {FEWEST_ROWS} of each are needed)")
    for split, labels in every.items():
        if len(labels) >= FEWEST_ROWS and len(set(labels)) == 1:
            yield Fault(
                "one class",
                f"all {len(labels):,} {split} rows of {task.name} have the label {labels[0]!r}; check the column of the label in "
                "ingest.sources",
            )


def _shuffled(task: TaskRun) -> Iterator[Finding]:
    """Yield labels that do not follow from the text: a model of the words finds nothing in them, nor does the teacher."""
    train, validation = task.expected("train"), task.expected("validation")
    if len(np.unique(validation)) == 1:
        return
    predicted, swapped = in_best_order(validation, task.baseline.validation, len(task.labels))
    learnable, transfers = beats_chance(train, task.baseline.train), beats_chance(validation, predicted)
    if swapped:
        yield Fault(
            "labels shuffled",
            f"train and validation rows of {task.name} name their labels in different ways: what train rows teach is right about "
            "validation rows once labels are exchanged; check the sources of both",
        )
    elif learnable and not transfers:
        yield Fault(
            "labels shuffled",
            f"the labels of validation rows of {task.name} do not follow from the text, though those of train rows do; check its sources",
        )
    elif not learnable and not transfers and not _teacher_learned(task):
        yield Fault(
            "labels shuffled",
            f"neither TF-IDF nor the teacher predicts the labels of {task.name} better than chance, so labels do not follow from the text; "
            "check that the columns of text and label belong to the same row",
        )


def _teacher_learned(task: TaskRun) -> bool:
    try:
        predicted = task.teacher
    except FileNotFoundError:
        return False
    expected = task.expected("validation")
    return beats_chance(expected, in_best_order(expected, predicted, len(task.labels))[0])

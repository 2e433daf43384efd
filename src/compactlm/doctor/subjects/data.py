"""Faults of the rows: labels, texts and splits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compactlm.artifacts import NO_ANSWER, Document
from compactlm.doctor.chance import beats_chance, in_best_order
from compactlm.doctor.examined import FEWEST_ROWS, Run, TaskRun, named
from compactlm.doctor.findings import Fault, Finding, Unjudged

DUPLICATES = 0.005  # greatest share of a held-out split's rows whose text is in another split


def check(run: Run) -> Iterator[Finding]:
    """Yield faults: empty texts, rows in two splits, unknown labels, a single label, and labels that no model can predict."""
    yield from _empty(run)
    yield from _across_splits(run)
    for name in run.tasks:
        task = run.task(name)
        yield from _labels(task)
        if task.has_one_label and task.can_be_judged:
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
    texts = {split: {" ".join(f"{row.text} {row.pair or ''}".lower().split()) for row in rows} for split, rows in run.rows.items()}
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
    every = {split: task.labelled(split) for split in ("train", "validation")}
    for split, rows in every.items():
        problems = [problem for row in rows if (problem := task.kind.invalid(row, task.task)) is not None]
        if problems:
            yield Fault(
                "unknown labels",
                f"{len(problems):,} {split} rows of {task.name} do not fit it, the first because {problems[0]}; correct the rows, or "
                f"tasks.{task.name} in params.yaml",
            )
    if any(len(rows) < FEWEST_ROWS for rows in every.values()):
        counts = ", ".join(f"{len(rows)} {split}" for split, rows in every.items())
        yield Unjudged(f"{task.name} has too few labelled rows to judge its models ({counts}; {FEWEST_ROWS} of each are needed)")
    for split, rows in every.items():
        if len(rows) >= FEWEST_ROWS and len(set(map(task.taught, rows))) == 1:
            said = (
                f"the label {rows[0].label!r}" if task.has_one_label else f"the same answer ({', '.join(map(str, _said(task, rows[0])))})"
            )
            yield Fault(
                "one class",
                f"all {len(rows):,} {split} rows of {task.name} have {said}; check the columns of its rows in ingest.sources",
            )


def _said(task: TaskRun, row: Document) -> list[object]:
    found = getattr(row, task.kind.fields[0])
    return sorted(set(found)) if isinstance(found, tuple) else ["no answer" if found == NO_ANSWER else found]


def _shuffled(task: TaskRun) -> Iterator[Finding]:
    """Yield a fault if labels are unrelated to the texts: neither the baseline nor the teacher predicts them."""
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

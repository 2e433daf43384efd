"""The rows on which two versions are compared: the old version's test rows, and new test rows that neither was trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from compactlm.artifacts import SPLITS, Document, parts, read_documents
from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.ingest.removed import read_removed


@dataclasses.dataclass(frozen=True)
class ComparedRows:
    """The rows of a task.

    Attributes:
        old: the test rows of the champion.
        new: test rows of the challenger that the champion has never read.
        seen: the number of test rows that are left out, because one of the two was trained on the same text.
        removed: the number of old test rows that are left out at a person's request.
    """

    old: Sequence[Document]
    new: Sequence[Document]
    seen: int
    removed: int


def choose_rows(champion: Path, challenger: Path, tasks: Iterable[str]) -> dict[str, ComparedRows]:
    """Return the rows of each task. Texts with the same letters and digits count as the same text.

    Args:
        champion: the directory data/split of the version in use.
        challenger: the directory data/split of the new model.
        tasks: the names of the tasks.

    Raises:
        FileNotFoundError: a split is missing.
    """
    before, after = _keys(champion), _keys(challenger)
    learnt = after["train"] | after["validation"]
    known = before["train"] | before["validation"] | before["test"]
    removed = read_removed()
    old, new = read_documents(champion / "test"), read_documents(challenger / "test")
    return {task: _of_task(task, old, new, learnt, known, before, removed) for task in tasks}


def _of_task(
    task: str,
    old: Sequence[Document],
    new: Sequence[Document],
    learnt: set[str],
    known: set[str],
    before: Mapping[str, set[str]],
    removed: frozenset[str],
) -> ComparedRows:
    own_old = [row for row in old if row.task == task]
    asked = [row for row in own_old if row.id not in removed]
    kept = [row for row in asked if duplicate_key(row.text) not in learnt]
    own_new = [row for row in new if row.task == task and duplicate_key(row.text) not in before["test"]]
    unread = [row for row in own_new if duplicate_key(row.text) not in known]
    return ComparedRows(kept, unread, len(asked) - len(kept) + len(own_new) - len(unread), len(own_old) - len(asked))


def _keys(split: Path) -> dict[str, set[str]]:
    return {
        name: {duplicate_key(text) for path in parts(split / name) for text in pq.read_table(path, columns=["text"])["text"].to_pylist()}
        for name in SPLITS
    }

"""Exact duplicates: which of the rows with one text, upper and lower case alike, stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from compactlm.artifacts import Document

DUPLICATE = "duplicate"
CONTRADICTORY_LABEL = "contradictory_label"


def judge(group: Sequence[Document]) -> list[tuple[Document, str]]:
    """Return which of the rows of one text are dropped, and why.

    A labelled row wins over an unlabelled one, else the smallest id wins; each task keeps its own. Where labels of one task
    contradict each other, all of that task's rows are dropped.
    """
    group = sorted(group, key=lambda document: document.id)
    reasons: list[tuple[Document, str]] = []
    by_task: defaultdict[str, list[Document]] = defaultdict(list)
    for document in group:
        if document.task is not None:
            by_task[document.task].append(document)
    for members in by_task.values():
        if len({member.label for member in members}) > 1:
            reasons += [(member, CONTRADICTORY_LABEL) for member in members]
        else:
            reasons += [(member, DUPLICATE) for member in members[1:]]
    unlabelled = [document for document in group if document.task is None]
    labelled_stays = len(reasons) < len(group) - len(unlabelled)
    return reasons + [(document, DUPLICATE) for document in (unlabelled if labelled_stays else unlabelled[1:])]

"""Rules for duplicates: which rows of a group stay, and why the others are dropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from compactlm.artifacts import Document

DUPLICATE = "duplicate"
NEAR_DUPLICATE = "near_duplicate"
CONTRADICTORY_LABEL = "contradictory_label"


def judge_equals(group: Sequence[Document]) -> list[tuple[Document, str]]:
    """Return the rows to drop from a group of rows with the same text, with the reasons.

    A labelled row wins over an unlabelled one, then the smallest id wins. Each task keeps its own row. If the labels of a task
    contradict each other, all rows of that task are dropped.
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


def judge_near(group: Sequence[Document]) -> list[Document]:
    """Return the rows to drop from a cluster of near-duplicates.

    A labelled row wins over an unlabelled one, then the smallest id wins. One row stays for each different label, because a single
    word can change the meaning of a near-duplicate.
    """
    first: dict[tuple[str | None, str | None], Document] = {}
    for document in sorted(group, key=lambda document: document.id):
        first.setdefault((document.task, document.label), document)
    labelled = [document for (task, _), document in first.items() if task is not None]
    kept = {document.id for document in labelled or first.values()}
    return [document for document in group if document.id not in kept]

"""Rules for duplicates: which rows of a group are kept, and why the others are dropped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from compactlm.artifacts import Document

DUPLICATE = "duplicate"
NEAR_DUPLICATE = "near_duplicate"
CONTRADICTORY_LABEL = "contradictory_label"


def judge_equals(group: Sequence[Document], homes: Mapping[str, int] = MappingProxyType({})) -> list[tuple[Document, str]]:
    """Return the rows to drop from a group of rows with the same text, with the reasons.

    A row in a later split of artifacts.SPLITS is preferred, so an added copy never moves the text of a test row to train. Then a labelled
    row is preferred to an unlabelled one, and then the smallest id. Each task keeps its own row. If the labels of a task contradict each
    other, all rows of that task are dropped.

    Args:
        group: the rows.
        homes: the number of the split of each row, by its id; by default all are in the same split.
    """
    group = sorted(group, key=lambda document: document.id)
    protected = _protected(group, homes)
    reasons: list[tuple[Document, str]] = []
    by_task: defaultdict[str, list[Document]] = defaultdict(list)
    for document in group:
        if document.task is not None:
            by_task[document.task].append(document)
    for members in by_task.values():
        if len({member.label for member in members}) > 1:
            reasons += [(member, CONTRADICTORY_LABEL) for member in members]
        else:
            reasons += [(member, DUPLICATE) for member in _all_but_first(members, protected)]
    unlabelled = [document for document in group if document.task is None]
    labelled_stays = len(reasons) < len(group) - len(unlabelled)
    return reasons + [(document, DUPLICATE) for document in (unlabelled if labelled_stays else _all_but_first(unlabelled, protected))]


def judge_near(group: Sequence[Document], homes: Mapping[str, int] = MappingProxyType({})) -> list[Document]:
    """Return the rows to drop from a cluster of near-duplicates.

    A row in a later split of artifacts.SPLITS is preferred, then a labelled row to an unlabelled one, then the smallest id. If the rows of
    a task have several labels, one row is kept for each label in any split, because a single word can change the meaning of a
    near-duplicate.

    Args:
        group: the rows.
        homes: the number of the split of each row, by its id; by default all are in the same split.
    """
    protected = _protected(group, homes)
    first: dict[tuple[str | None, str | None], Document] = {}
    for document in sorted(group, key=lambda document: (-homes.get(document.id, 0), document.id)):
        first.setdefault((document.task, document.label), document)
    labels = Counter(task for task, _ in first if task is not None)
    found = [document for (task, _), document in first.items() if document.id in protected or (task is not None and labels[task] > 1)]
    kept = {document.id for document in [document for document in found if document.task is not None] or found}
    return [document for document in group if document.id not in kept]


def _protected(group: Sequence[Document], homes: Mapping[str, int]) -> set[str]:
    """Return the ids of the rows that are in the last split of the group."""
    last = max((homes.get(document.id, 0) for document in group), default=0)
    return {document.id for document in group if homes.get(document.id, 0) == last}


def _all_but_first(members: Sequence[Document], protected: set[str]) -> list[Document]:
    stays = next((member for member in members if member.id in protected), None)
    return [member for member in members if member is not stays]

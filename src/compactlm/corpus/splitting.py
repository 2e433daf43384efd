"""Train, validation and test: stratified by source and label, with what belongs together kept together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from sklearn.model_selection import train_test_split

from compactlm.artifacts import SPLITS, Document
from compactlm.corpus.grouping import crossings, group
from compactlm.errors import CompactLMError
from compactlm.params import Split, Task

Splits = dict[str, list[Document]]


def split_documents(documents: Sequence[Document], split: Split, seed: int) -> Splits:
    """Split documents by whole groups; the result depends on the set of documents, not on their order.

    Args:
        documents: the rows, each with an id of its own.
        split: the share of the rows in each split.
        seed: draws the groups.

    Returns:
        The documents of each split, sorted by id.

    Raises:
        CompactLMError: there are fewer than three groups.
    """
    return _split_groups(group(documents), split, seed)


def _split_groups(groups: list[list[Document]], split: Split, seed: int) -> Splits:
    if len(groups) < len(SPLITS):
        raise CompactLMError(
            f"{len(groups)} groups of rows (duplicates and texts of one document stay together) are too few for three splits; "
            "add sources, or raise their limits"
        )
    strata = _strata(groups, math.ceil(2 / min(split.train, split.validation, split.test)))
    tests = _whole(split.test * len(groups), len(groups) - 2)
    rest, test = _draw(list(range(len(groups))), strata, tests, seed)
    validations = _whole(split.validation * len(groups), len(rest) - 1)
    train, validation = _draw(rest, strata, validations, seed)
    parts = zip(SPLITS, (train, validation, test), strict=True)
    return {name: sorted((row for index in part for row in groups[index]), key=lambda row: row.id) for name, part in parts}


def _whole(number: float, most: int) -> int:
    return min(max(1, round(number)), most)


def _draw(indices: list[int], strata: Sequence[int], count: int, seed: int) -> tuple[list[int], list[int]]:
    chosen = [strata[index] for index in indices]
    rare = min(Counter(chosen).values()) < 2 or min(count, len(indices) - count) < len(set(chosen))
    stay, leave = train_test_split(indices, test_size=count, random_state=seed % 2**32, stratify=None if rare else chosen)
    return stay, leave


def _strata(groups: Sequence[list[Document]], smallest: int) -> list[int]:
    """Number the stratum of each group.

    A stratum is source, label and size; one with fewer than `smallest` groups is merged with its like, first without the
    size (which keeps the rows, and not the groups alone, in proportion), then without the source, then with all that are left.
    """
    names: list[tuple[Hashable, ...]] = [()] * len(groups)
    waiting = list(range(len(groups)))
    for level in range(4):
        keys = {index: (level, *_stratum(groups[index], level)) for index in waiting}
        counts = Counter(keys.values())
        for index in waiting:
            names[index] = keys[index]
        waiting = [index for index in waiting if counts[keys[index]] < smallest]
    if waiting:
        largest = min(Counter(names).items(), key=lambda item: (-item[1], str(item[0])))[0]
        for index in waiting:
            names[index] = largest
    numbers = {name: number for number, name in enumerate(sorted(set(names), key=str))}
    return [numbers[name] for name in names]


def _stratum(rows: list[Document], level: int) -> tuple[Hashable, ...]:
    # A labelled row speaks for its group: the balance of labels is what a task is measured by.
    chief = min(rows, key=lambda row: (row.task is None, row.id))
    label = (chief.task or "", chief.label or "")
    return ((chief.source, label, len(rows).bit_length()), (chief.source, label), (label,), ())[level]


def check_tasks(splits: Mapping[str, Sequence[Document]], tasks: Mapping[str, Task]) -> None:
    """Refuse splits in which a task lacks rows, or rows of one of its labels; raises CompactLMError."""
    for name, task in sorted(tasks.items()):
        for split, rows in splits.items():
            counts = Counter(row.label for row in rows if row.task == name)
            missing = [label for label in task.labels if not counts[label]]
            if missing:
                raise CompactLMError(
                    f"tasks.{name}: split {split} has {counts.total():,} of its rows and none with the label {', '.join(missing)}; it "
                    f"needs more rows of {', '.join(task.sources)}, or a greater share in split.{split}"
                )


def split_metrics(splits: Mapping[str, Sequence[Document]], documents: Sequence[Document], split: Split, seed: int) -> dict[str, object]:
    """Return sizes, the balance of sources and labels, and the leakage.

    `leakage` counts texts and documents that occur in more than one split: as the splits are, and as they would be if every
    row had been drawn by itself.
    """
    alone = _split_groups([[document] for document in sorted(documents, key=lambda row: row.id)], split, seed)
    everything = sum(len(rows) for rows in splits.values())
    groups = group(documents)
    return {
        "rows": {name: len(rows) for name, rows in splits.items()},
        "share": {name: round(len(rows) / everything, 6) for name, rows in splits.items()},
        "sources": {name: _shares(Counter(row.source for row in rows)) for name, rows in splits.items()},
        "labels": {name: _label_shares(rows) for name, rows in splits.items()},
        "groups": {"all": len(groups), "of_several_rows": sum(len(rows) > 1 for rows in groups), "largest": max(map(len, groups))},
        "leakage": {"rows_drawn_singly": crossings(alone), "as_split": crossings(splits)},
    }


def _label_shares(rows: Sequence[Document]) -> dict[str, dict[str, float]]:
    tasks = sorted({row.task for row in rows if row.task is not None})
    return {task: _shares(Counter(str(row.label) for row in rows if row.task == task)) for task in tasks}


def _shares(counts: Counter[str]) -> dict[str, float]:
    return {name: round(count / counts.total(), 6) for name, count in sorted(counts.items())}

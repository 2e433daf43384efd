"""Train, validation and test: stratified by source and label, with what belongs together kept together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from compactlm.artifacts import SPLITS
from compactlm.corpus.split.grouping import Integers, Rows
from compactlm.errors import CompactLMError
from compactlm.params import Split, Task

Homes = npt.NDArray[np.int8]  # the number of each row's split in artifacts.SPLITS; -1 for a row that is left out
Name = tuple[Hashable, ...]
TRAIN, VALIDATION, TEST = (SPLITS.index(name) for name in ("train", "validation", "test"))


def split_groups(rows: Rows, groups: Integers, split: Split, seed: int) -> Homes:
    """Split rows by whole groups; the result depends on the set of rows, not on their order in the source.

    Args:
        rows: the rows.
        groups: of each row, numbered from 0 in the order of their first rows.
        split: the share of the rows in each split.
        seed: draws the groups.

    Raises:
        CompactLMError: there are fewer than three groups.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    if count < len(SPLITS):
        raise CompactLMError(
            f"{count} groups of rows (duplicates and texts of one document stay together) are too few for three splits; "
            "add sources, or raise their limits"
        )
    strata = _strata(rows, groups, count, math.ceil(2 / min(split.train, split.validation, split.test)))
    homes = np.full(count, TRAIN, dtype=np.int8)
    rest, test = _draw(np.arange(count), strata, _whole(split.test * count, count - 2), seed)
    _, validation = _draw(rest, strata, _whole(split.validation * count, len(rest) - 1), seed)
    homes[test], homes[validation] = TEST, VALIDATION
    return homes[groups]


def _whole(number: float, most: int) -> int:
    return min(max(1, round(number)), most)


def _draw(indices: Integers, strata: Integers, count: int, seed: int) -> tuple[Integers, Integers]:
    chosen = strata[indices]
    sizes = np.unique(chosen, return_counts=True)[1]
    rare = sizes.min() < 2 or min(count, len(indices) - count) < len(sizes)
    stay, leave = train_test_split(indices, test_size=count, random_state=seed % 2**32, stratify=None if rare else chosen)
    return stay, leave


def _strata(rows: Rows, groups: Integers, count: int, smallest: int) -> Integers:
    """Number the stratum of each group.

    A stratum is source, label and size; one with fewer than `smallest` groups is merged with its like, first without the
    size (which keeps the rows, and not the groups alone, in proportion), then without the source, then with all that are left.
    """
    sizes = np.bincount(groups, minlength=count)
    bits = np.frexp(sizes)[1]  # of the size as a binary number
    kinds, kind_of = np.unique(np.stack([rows.stratum[_chiefs(rows, groups)], bits], axis=1), axis=0, return_inverse=True)
    found = [(rows.strata[stratum], int(length)) for stratum, length in kinds]
    number = dict(enumerate(np.bincount(kind_of.ravel(), minlength=len(kinds)).tolist()))  # of groups of each kind
    names: dict[int, Name] = {}
    waiting = list(number)
    for level in range(4):
        names.update((kind, (level, *_stratum(*found[kind], level))) for kind in waiting)
        counts = _total(names, number, waiting)
        waiting = [kind for kind in waiting if counts[names[kind]] < smallest]
    if waiting:
        largest = min(_total(names, number, names).items(), key=lambda item: (-item[1], str(item[0])))[0]
        names.update(dict.fromkeys(waiting, largest))
    order = {name: place for place, name in enumerate(sorted(set(names.values()), key=str))}
    return np.array([order[names[kind]] for kind in range(len(kinds))])[kind_of.ravel()]


def _total(names: Mapping[int, Name], number: Mapping[int, int], kinds: Iterable[int]) -> Counter[Name]:
    counts: Counter[Name] = Counter()
    for kind in kinds:
        counts[names[kind]] += number[kind]
    return counts


def _chiefs(rows: Rows, groups: Integers) -> Integers:
    """Return the row that speaks for each group: a labelled one, for the balance of labels is what a task is measured by."""
    unlabelled = np.array([task is None for _, task, _ in rows.strata], dtype=np.int8)[rows.stratum]
    order = np.lexsort((np.arange(len(groups)), unlabelled, groups))
    first = np.concatenate([np.ones(1, dtype=bool), groups[order][1:] != groups[order][:-1]])
    return order[first]


def _stratum(stratum: tuple[str, str | None, str | None], bits: int, level: int) -> Name:
    source, task, name = stratum
    label = (task or "", name or "")
    return ((source, label, bits), (source, label), (label,), ())[level]


def count_strata(rows: Rows, homes: Homes) -> npt.NDArray[np.int64]:
    """Return the rows of each split and stratum, as an array of (splits, strata); rows that are left out count in none."""
    placed = homes >= 0
    cells = homes[placed].astype(np.int64) * len(rows.strata) + rows.stratum[placed]
    return np.bincount(cells, minlength=len(SPLITS) * len(rows.strata)).reshape(len(SPLITS), -1)


def check_tasks(rows: Rows, homes: Homes, tasks: Mapping[str, Task]) -> None:
    """Refuse splits in which a task lacks rows, or rows of one of its labels; raises CompactLMError."""
    for split, found in zip(SPLITS, count_strata(rows, homes), strict=True):
        for name, task in sorted(tasks.items()):
            counts: Counter[str | None] = Counter()
            for (_, owner, label), count in zip(rows.strata, found.tolist(), strict=True):
                counts[label] += count if owner == name else 0
            missing = [label for label in task.labels if not counts[label]]
            if missing:
                raise CompactLMError(
                    f"tasks.{name}: split {split} has {counts.total():,} of its rows and none with the label {', '.join(missing)}; it "
                    f"needs more rows of {', '.join(task.sources)}, or a greater share in split.{split}"
                )


def check_weights(rows: Rows, homes: Homes, left_out: Mapping[tuple[str | None, str | None], int], tasks: Mapping[str, Task]) -> None:
    """Refuse weights that leave a label of a task without a row in train; raises CompactLMError."""
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for (_, task, label), count in zip(rows.strata, count_strata(rows, homes)[TRAIN].tolist(), strict=True):
        counts[task, label] += count
    for (owner, label), count in sorted(left_out.items(), key=str):
        if owner is not None and owner in tasks and count == counts[owner, label]:
            raise CompactLMError(
                f"tasks.{owner}: split.weights leave train no row with the label {label}; give {', '.join(tasks[owner].sources)} a greater "
                "weight there"
            )

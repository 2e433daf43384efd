"""A split that is stratified by source and label, and keeps groups of rows together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping

import numpy as np
from sklearn.model_selection import train_test_split

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.placing import TEST, TRAIN, VALIDATION, Homes
from compactlm.corpus.split.rare_labels import place_rare_labels
from compactlm.corpus.split.rows import Integers, Rows, Stratum, labels_of
from compactlm.errors import CompactLMError
from compactlm.params import Split

Name = tuple[Hashable, ...]


def split_groups(rows: Rows, groups: Integers, split: Split, seed: int) -> Homes:
    """Split rows without dividing groups. Groups are numbered from 0 in the order of their first rows.

    The result does not depend on the order of the rows. Each label with at least three groups is in all splits.

    Raises:
        CompactLMError: there are fewer than three groups.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    if count < len(SPLITS):
        raise CompactLMError(
            f"{count} groups of rows (duplicates and rows of one document form a group) are too few for three splits; "
            "add sources or raise their limits"
        )
    strata = _strata(rows, groups, count, math.ceil(2 / min(split.train, split.validation, split.test)))
    homes = np.full(count, TRAIN, dtype=np.int8)
    rest, test = _draw(np.arange(count), strata, _whole(split.test * count, count - 2), seed)
    _, validation = _draw(rest, strata, _whole(split.validation * count, len(rest) - 1), seed)
    homes[test], homes[validation] = TEST, VALIDATION
    return place_rare_labels(rows, groups, homes, seed)[groups]


def _whole(number: float, most: int) -> int:
    return min(max(1, round(number)), most)


def _draw(indices: Integers, strata: Integers, count: int, seed: int) -> tuple[Integers, Integers]:
    chosen = strata[indices]
    sizes = np.unique(chosen, return_counts=True)[1]
    rare = sizes.min() < 2 or min(count, len(indices) - count) < len(sizes)
    stay, leave = train_test_split(indices, test_size=count, random_state=seed % 2**32, stratify=None if rare else chosen)
    return stay, leave


def _strata(rows: Rows, groups: Integers, count: int, smallest: int) -> Integers:
    """Return the number of the stratum of each group.

    A stratum is a source, a label and a size of groups. The size keeps the numbers of rows in proportion, not only the numbers of groups.
    For rows with several labels, the combination is the label; if the combination is rare, its rarest label is used instead. Strata with
    fewer than `smallest` groups are merged: first across sizes, then across sources, then all remaining ones.
    """
    sizes = np.bincount(groups, minlength=count)
    bits = np.frexp(sizes)[1]  # the number of binary digits of the size
    kinds, kind_of = np.unique(np.stack([rows.stratum[_representatives(rows, groups)], bits], axis=1), axis=0, return_inverse=True)
    found = [(rows.strata[stratum], int(length)) for stratum, length in kinds]
    number = dict(enumerate(np.bincount(kind_of.ravel(), minlength=len(kinds)).tolist()))  # the numbers of groups of each kind
    names: dict[int, Name] = {}
    waiting = list(number)
    rarest = _rarest_labels(rows)
    for level in range(4):
        names.update((kind, (level, *_stratum(*found[kind], level, rarest))) for kind in waiting)
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


def _representatives(rows: Rows, groups: Integers) -> Integers:
    """Return for each group the row that decides its stratum: a labelled row if there is one, because tasks need balanced labels."""
    unlabelled = np.array([task is None for _, task, _ in rows.strata], dtype=np.int8)[rows.stratum]
    order = np.lexsort((np.arange(len(groups)), unlabelled, groups))
    first = np.concatenate([np.ones(1, dtype=bool), groups[order][1:] != groups[order][:-1]])
    return order[first]


def _rarest_labels(rows: Rows) -> dict[tuple[str | None, str], str]:
    """Return the rarest label of each combination of labels, by task and combination."""
    sizes = np.bincount(rows.stratum, minlength=len(rows.strata)).tolist()
    counts: Counter[tuple[str | None, str]] = Counter()
    for (_, task, labels), size in zip(rows.strata, sizes, strict=True):
        counts.update({(task, label): size for label in labels_of(labels)})
    several = {(task, labels): labels_of(labels) for _, task, labels in rows.strata if labels is not None and len(labels_of(labels)) > 1}
    return {(task, labels): min(found, key=lambda label: (counts[task, label], label)) for (task, labels), found in several.items()}


def _stratum(stratum: Stratum, bits: int, level: int, rarest: Mapping[tuple[str | None, str], str]) -> Name:
    source, task, name = stratum
    label = (task or "", (rarest.get((task, name or ""), name) if level else name) or "")
    return ((source, label, bits), (source, label), (label,), ())[level]

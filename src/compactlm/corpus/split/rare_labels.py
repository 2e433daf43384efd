"""Labels that occur in few groups of rows. A stratified draw may leave a split without them, so groups are moved."""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from compactlm.artifacts import SPLITS
from compactlm.corpus.duplicates.placing import TEST, TRAIN, VALIDATION, Homes
from compactlm.corpus.split.rows import Integers, Rows, count_strata, labels_of
from compactlm.params import Task

STEPS = 1000  # moves of the search
RECENT = 3  # groups that were moved last and stay for now


def groups_of_labels(rows: Rows, groups: Integers) -> dict[tuple[str, str], Integers]:
    """Return by task and label (sorted by name) the sorted numbers of the groups that have a row with the label."""
    found: dict[tuple[str, str], Integers] = {}
    named = sorted({(task, label) for _, task, labels in rows.strata if task is not None for label in labels_of(labels)})
    for task, label in named:
        own = has_label(rows, task, label)
        found[task, label] = np.unique(groups[own[rows.stratum]])
    return found


def has_label(rows: Rows, task: str, label: str) -> npt.NDArray[np.bool_]:
    """Return for each stratum whether its rows have a label of a task."""
    return np.array([stratum[1] == task and label in labels_of(stratum[2]) for stratum in rows.strata])


def place_rare_labels(rows: Rows, groups: Integers, homes: Homes, seed: int) -> Homes:
    """Move groups so that each label with three groups or more is in all splits. Return the split of each group.

    If a label has fewer than three groups, they are moved to train and stay there. For any other label that a split lacks, a group is moved
    from the split that has most groups of the label. The smallest group is moved (ties are drawn), but never the last group of another
    label in its split. If labels still lack a split, because groups have several labels, a search moves further groups.

    Args:
        rows: the rows.
        groups: the number of each row's group.
        homes: the split of each group.
        seed: the seed of the draws.
    """
    labels = groups_of_labels(rows, groups)
    sizes = np.bincount(groups, minlength=len(homes))
    drawn = np.random.default_rng(seed % 2**32).random(len(homes))
    homes = homes.copy()
    few = [members for members in labels.values() if len(members) < len(SPLITS)]
    kept = {group for members in few for group in members.tolist()}
    homes[sorted(kept)] = TRAIN
    for members in (members for members in labels.values() if len(members) >= len(SPLITS)):
        for home in (TEST, VALIDATION, TRAIN):
            if (homes[members] == home).any():
                continue
            fullest = int(np.argmax(np.bincount(homes[members], minlength=len(SPLITS))))
            found = members[homes[members] == fullest].tolist()
            movable = [group for group in found if group not in kept and not _is_last(group, homes, labels.values())]
            if movable:
                homes[min(movable, key=lambda group: (sizes[group], drawn[group]))] = home
    return _search([members for members in labels.values() if len(members) >= len(SPLITS)], kept, homes, sizes, drawn)


def _search(labels: Sequence[Integers], kept: Collection[int], homes: Homes, sizes: Integers, drawn: npt.NDArray[np.float64]) -> Homes:
    """Move groups until no label lacks a split, or for STEPS moves. Return the homes in which fewest labels lack a split.

    Groups with several labels may need moves that take the last group of another label away, which is then moved in turn. Each step takes
    a label that a split lacks, and moves the group of it that leaves fewest labels without a split (minimum conflicts, Minton et al. 1992).
    """
    counts = np.array([np.bincount(homes[members], minlength=len(SPLITS)) for members in labels])
    best, fewest, recent = homes, int((counts == 0).sum()), collections.deque[int](maxlen=RECENT)
    homes = homes.copy()
    for step in range(STEPS if fewest else 0):
        lacking = np.argwhere(counts == 0)
        label, home = lacking[step % len(lacking)]
        movable = [group for group in labels[label].tolist() if group not in kept and group not in recent and homes[group] != home]
        if not movable:
            continue
        has = np.stack([np.isin(movable, members) for members in labels], axis=1)
        gained = (has & (counts[:, home] == 0)).sum(axis=1) - (has & (counts.T[homes[movable]] == 1)).sum(axis=1)
        place = min(range(len(movable)), key=lambda at: (-gained[at], sizes[movable[at]], drawn[movable[at]]))
        group = movable[place]
        counts[has[place], homes[group]] -= 1
        counts[has[place], home] += 1
        homes[group] = home
        recent.append(group)
        left = int((counts == 0).sum())
        if left < fewest:
            best, fewest = homes.copy(), left
        if not left:
            break
    return best


def _is_last(group: int, homes: Homes, labels: Iterable[Integers]) -> bool:
    return any(group in members and (homes[members] == homes[group]).sum() == 1 for members in labels)


def labels_in_train_alone(rows: Rows, homes: Homes, groups: Integers, tasks: Mapping[str, Task]) -> list[str]:
    """Return a sentence for each label of a task that a held-out split lacks because the label has fewer than three groups."""
    counts = count_strata(rows, homes)
    said = []
    for (task, label), own in groups_of_labels(rows, groups).items():
        placed = counts[:, has_label(rows, task, label)].sum(axis=1)
        if task in tasks and len(own) < len(SPLITS) and not placed.all():
            said.append(
                f"the label {label} of tasks.{task} has {len(own)} {'group' if len(own) == 1 else 'groups'} of rows, too few for three "
                f"splits, so it is not measured on validation and test rows; add rows with it to {', '.join(tasks[task].sources)}"
            )
    return said

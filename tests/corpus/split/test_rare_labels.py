import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.artifacts import Document
from compactlm.corpus.split.rare_labels import labels_in_train_alone, place_rare_labels
from compactlm.corpus.split.splitting import check_tasks, decide
from compactlm.params import Task
from tests.corpus.split_rows import SPLIT, split_of, to_rows
from tests.fixtures.builders import make_row

TASKS = {"sentiment": Task(sources=["s"], labels=["ham", "spam", "rare"], metric="accuracy")}


def messages(**counts: int) -> list[Document]:
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [make_row(number, label=label) for number, label in enumerate(labels)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rare", [3, 10])
def test_a_rare_label_is_in_every_split(seed: int, rare: int) -> None:
    rows = messages(ham=100, spam=100, rare=rare)
    homes, groups = decide(to_rows(rows), None, SPLIT, seed)
    check_tasks(to_rows(rows), homes, groups, TASKS)
    splits = split_of(rows, homes)
    assert [len(splits[name]) / len(rows) for name in ("train", "validation", "test")] == pytest.approx([0.7, 0.15, 0.15], abs=0.02)


@pytest.mark.parametrize("seed", range(12))
def test_labels_of_few_authors_are_in_every_split(seed: int) -> None:
    rows = [
        make_row(number, label=("ham", "spam", "rare")[author % 3], document=f"author {author}")
        for number, author in enumerate(author for author in range(12) for _ in range(15))
    ]
    homes, groups = decide(to_rows(rows), None, SPLIT, seed)
    check_tasks(to_rows(rows), homes, groups, TASKS)
    authors = [{row.document for row in part} for part in split_of(rows, homes).values()]
    assert sum(map(len, authors)) == 12


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rare", [1, 2])
def test_a_label_of_less_than_three_groups_is_in_train_alone_and_named(seed: int, rare: int) -> None:
    rows = messages(ham=100, spam=100, rare=rare)
    homes, groups = decide(to_rows(rows), None, SPLIT, seed)
    check_tasks(to_rows(rows), homes, groups, TASKS)
    assert homes[200:].tolist() == [0] * rare
    [sentence] = labels_in_train_alone(to_rows(rows), homes, groups, TASKS)
    assert sentence.startswith(f"the label rare of tasks.sentiment has {rare} group")
    assert labels_in_train_alone(to_rows(messages(ham=9, spam=9)), homes[:18], groups[:18], TASKS) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["d1", "d2", None, None])), min_size=3, max_size=30), st.integers(0, 9))
def test_no_label_leaves_a_split_when_groups_are_moved(cells: list[tuple[str, str | None]], seed: int) -> None:
    rows = to_rows([make_row(number, label=label, document=of or f"{number}") for number, (label, of) in enumerate(cells)])
    groups = np.unique(rows.documents, return_inverse=True)[1]
    before = np.random.default_rng(seed).integers(0, 3, groups.max() + 1).astype(np.int8)
    after = place_rare_labels(rows, groups, before, seed)
    members: dict[str | None, set[int]] = {}
    for number, own in zip(rows.stratum, groups, strict=True):
        members.setdefault(rows.strata[number][2], set()).add(int(own))
    few = {label for label, own in members.items() if len(own) < 3}
    assert all(after[group] == 0 for label in few for group in members[label])
    for home in range(3):
        had, has = ({rows.strata[number][2] for number in rows.stratum[homes[groups] == home]} for homes in (before, after))
        assert had - few - {label for label in members if members[label] & set().union(*(members[one] for one in few))} <= has


@pytest.mark.parametrize("seed", range(30))
def test_labels_of_groups_with_several_labels_are_in_every_split(seed: int) -> None:
    # Each label is put into a group of each split, so a solution exists; more labels are then added.
    draw = random.Random(seed)
    sets: list[set[str]] = [set() for _ in range(12)]
    for label in "abcdef":
        for part in ((0, 1, 2, 3, 4, 5, 6, 7), (8, 9), (10, 11)):
            sets[draw.choice(part)].add(label)
    rows = [
        make_row(number, label=label, document=f"d{group}")
        for number, (group, label) in enumerate((g, one) for g in range(12) for one in sorted(sets[g]) or "a")
    ]
    read = to_rows(rows)
    groups = np.unique(read.documents, return_inverse=True)[1]
    start = np.random.default_rng(seed).choice(3, groups.max() + 1, p=(0.7, 0.15, 0.15)).astype(np.int8)
    homes = place_rare_labels(read, groups, start, seed)[groups]
    for label in "abcdef":
        assert {int(home) for home, row in zip(homes, rows, strict=True) if row.label == label} == {0, 1, 2}, (seed, label)

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.artifacts import Document
from compactlm.corpus.placement import PROTECTED, place, placement_key, share_deviations, split_by_placement
from compactlm.params import Split

SPLIT = Split(train=0.7, validation=0.15, test=0.15)


def row(number: int, text: str | None = None, document: str | None = None, label: str | None = None) -> Document:
    name = f"{number:05d}"
    task = "mood" if label else None
    return Document(id=name, source="s", text=text or f"text {name}", document=document or name, task=task, label=label)


def homes(rows: list[Document], clusters: list[int], seed: int = 0) -> dict[str, str]:
    return {member.id: name for name, part in split_by_placement(rows, clusters, SPLIT, seed).splits.items() for member in part}


# A row's number, its document and the name of its cluster, as a corpus of few documents and many near-duplicates.
CELLS = st.lists(st.tuples(st.sampled_from([None, "d1", "d2", "d3", "d4"]), st.integers(0, 15)), min_size=1, max_size=60)


@settings(max_examples=60)
@given(CELLS, st.integers(1, 60), st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_rows_stay_where_they_are_when_data_is_added(
    cells: list[tuple[str | None, int]], known: int, seed: int, rng: random.Random
) -> None:
    rows = [row(number, document=document) for number, (document, _) in enumerate(cells)]
    clusters = [cluster for _, cluster in cells]
    known = min(known, len(rows))
    before = homes(rows[:known], clusters[:known], seed)
    after = homes(rows, clusters, seed)
    assert all(after.get(name, home) == home for name, home in before.items())
    # What went is like a row in a split that is protected before its own.
    for name in before.keys() - after.keys():
        alike = {
            after[other.id] for other, cluster in zip(rows, clusters, strict=True) if cluster == clusters[int(name)] and other.id in after
        }
        assert all(PROTECTED.index(home) < PROTECTED.index(before[name]) for home in alike)
        assert alike
    order = list(range(len(rows)))
    rng.shuffle(order)
    assert homes([rows[index] for index in order], [clusters[index] for index in order], seed) == after


@settings(max_examples=60)
@given(CELLS, st.integers(0, 2**32))
def test_no_cluster_and_no_document_is_in_two_splits_and_no_row_is_lost(cells: list[tuple[str | None, int]], seed: int) -> None:
    rows = [row(number, document=document) for number, (document, _) in enumerate(cells)]
    placed = split_by_placement(rows, [cluster for _, cluster in cells], SPLIT, seed)
    assert sum(len(part) for part in placed.splits.values()) + placed.leaked.total() == len(rows)
    found = {member.id: name for name, part in placed.splits.items() for member in part}
    for key in (lambda index: cells[index][1], lambda index: cells[index][0] or f"row {index}"):
        split_of: dict[object, set[str]] = {}
        for index, member in enumerate(rows):
            if member.id in found:
                split_of.setdefault(key(index), set()).add(found[member.id])
        assert all(len(names) == 1 for names in split_of.values())


def test_a_row_without_a_document_is_placed_by_its_letters_and_digits() -> None:
    assert placement_key(row(1, "The same, text!")) == placement_key(row(2, "the SAME text"))
    assert placement_key(row(1, "x", document="d")) == placement_key(row(2, "y", document="d"))
    assert placement_key(row(1, "x", document="x")) != placement_key(row(2, "x"))


def test_a_train_row_that_is_like_a_test_row_is_dropped_and_counted() -> None:
    rows = [row(number) for number in range(400)]
    alone = homes(rows, list(range(400)))
    test, validation, train = (next(name for name, home in alone.items() if home == split) for split in ("test", "validation", "train"))
    clusters = [0 if member.id in {test, validation, train} else number + 1 for number, member in enumerate(rows)]
    placed = split_by_placement(rows, clusters, SPLIT, 0)
    assert placed.leaked == Counter({("s", "near_duplicate_of_test"): 2})
    assert homes(rows, clusters) == {name: home for name, home in alone.items() if name not in {validation, train}}


def test_shares_and_labels_are_kept_on_average() -> None:
    rng = random.Random(3)
    rows = [row(number, label=rng.choice(["good", "good", "bad"])) for number in range(20_000)]
    deviations = share_deviations(split_by_placement(rows, range(20_000), SPLIT, 5).splits, SPLIT)
    assert set(deviations["test"]) == {"s", "s/good", "s/bad"}
    for strata in deviations.values():
        for figures in strata.values():
            assert abs(figures["deviation"]) < 4 * figures["standard_error"]
            assert figures["standard_error"] < 0.006
    assert sum(strata["s"]["share"] for strata in deviations.values()) == pytest.approx(1, abs=1e-5)


def test_another_seed_places_otherwise_and_other_shares_of_validation_leave_test_alone() -> None:
    keys = [f"k{number}" for number in range(2_000)]
    first = [place(key, SPLIT, 1) for key in keys]
    assert first != [place(key, SPLIT, 2) for key in keys]
    other = [place(key, Split(train=0.6, validation=0.25, test=0.15), 1) for key in keys]
    assert [home == "test" for home in other] == [home == "test" for home in first]
    assert all(now == "validation" for now, then in zip(other, first, strict=True) if then == "validation")

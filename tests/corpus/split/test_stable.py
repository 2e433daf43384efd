import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.artifacts import SPLITS, Document
from compactlm.corpus.duplicates.placing import draw_place, place
from compactlm.corpus.split.document_groups import PROTECTED, group, protect
from compactlm.corpus.split.splitting import decide
from compactlm.corpus.split.stable import share_deviations
from compactlm.params import Split
from tests.corpus.split_rows import SPLIT, to_rows
from tests.fixtures.builders import make_row

STABLE = Split(**{**SPLIT.model_dump(), "placement": "stable"})
PREVENT = STABLE.model_copy(update={"across_splits": "prevent"})


def homes(rows: list[Document], clusters: list[int], seed: int = 0) -> dict[str, int]:
    found, _ = decide(to_rows(rows, seed), np.array(clusters), PREVENT, seed)
    return {row.id: home for row, home in zip(rows, found.tolist(), strict=True) if home >= 0}


# The document and the cluster of each row: few documents and many near-duplicates.
CELLS = st.lists(st.tuples(st.sampled_from([None, "d1", "d2", "d3", "d4"]), st.integers(0, 15)), min_size=1, max_size=60)


@settings(max_examples=60)
@given(CELLS, st.integers(1, 60), st.integers(0, 2**32))
def test_rows_stay_in_their_splits_when_rows_are_added(cells: list[tuple[str | None, int]], known: int, seed: int) -> None:
    rows = [make_row(number, document=of) for number, (of, _) in enumerate(cells)]
    clusters = [cluster for _, cluster in cells]
    known = min(known, len(rows))
    before = homes(rows[:known], clusters[:known], seed)
    after = homes(rows, clusters, seed)
    assert all(after.get(name, home) == home for name, home in before.items())
    # A row that was removed has a near-duplicate in a split that is protected before its own.
    for name in before.keys() - after.keys():
        own = clusters[int(name, 16)]
        alike = {after[other.id] for other, cluster in zip(rows, clusters, strict=True) if cluster == own and other.id in after}
        assert alike
        assert all(PROTECTED.index(home) < PROTECTED.index(before[name]) for home in alike)


def test_a_row_is_placed_by_its_document_or_by_its_letters_and_digits() -> None:
    assert draw_place("1", "s", "1", "The same, text!", 0) == draw_place("2", "t", "2", "the SAME text", 0)
    assert draw_place("1", "s", "d", "x", 0) == draw_place("2", "s", "d", "y", 0)
    assert draw_place("1", "s", "x", "x", 0) != draw_place("2", "s", "2", "x", 0)


def test_exact_duplicates_are_protected_even_if_near_duplicates_are_only_reported() -> None:
    rows = [make_row(number, document=f"d{number}", text="the same" if number % 2 else None) for number in range(200)]
    found, _ = decide(to_rows(rows), None, STABLE, 0)
    assert len({home for home in found[1::2].tolist() if home >= 0}) == 1
    assert (found[::2] >= 0).all()


def test_near_duplicates_of_a_test_row_are_left_out_of_train_and_validation() -> None:
    rows = [make_row(number) for number in range(400)]
    alone = homes(rows, list(range(400)))
    test, validation, train = (next(name for name, home in alone.items() if home == split) for split in PROTECTED)
    clusters = [0 if member.id in {test, validation, train} else number + 1 for number, member in enumerate(rows)]
    assert homes(rows, clusters) == {name: home for name, home in alone.items() if name not in {validation, train}}


def test_a_source_can_be_in_one_split_and_its_shares_are_not_compared() -> None:
    rows = [make_row(number, source="old" if number % 2 else "new") for number in range(200)]
    fixed = Split.model_validate({**STABLE.model_dump(), "sources": {"new": "test"}})
    found, _ = decide(to_rows(rows), None, fixed, 0)
    assert set(found[::2].tolist()) == {SPLITS.index("test")}
    assert (found[1::2] == decide(to_rows(rows), None, STABLE, 0)[0][1::2]).all()
    assert set(share_deviations(to_rows(rows), found, fixed)["test"]) == {"old"}
    with pytest.raises(ValueError, match="needs placement: stable"):
        Split.model_validate({**fixed.model_dump(), "placement": "stratified"})


def test_no_rows_have_no_groups() -> None:
    assert group([np.zeros(0, dtype=np.int64)]).tolist() == []
    assert protect(np.zeros(0, dtype=np.int8), np.zeros(0, dtype=np.int64)).tolist() == []


def test_shares_and_labels_are_kept_on_average() -> None:
    rng = random.Random(3)
    rows = to_rows([make_row(number, label=rng.choice(["good", "good", "bad"])) for number in range(20_000)], seed=5)
    deviations = share_deviations(rows, decide(rows, None, STABLE, 5)[0], STABLE)
    assert set(deviations["test"]) == {"s", "s/good", "s/bad"}
    for strata in deviations.values():
        for figures in strata.values():
            assert abs(figures["deviation"]) < 4 * figures["standard_error"]
            assert figures["standard_error"] < 0.006
    assert sum(strata["s"]["share"] for strata in deviations.values()) == pytest.approx(1, abs=1e-5)


def test_another_seed_changes_the_places_and_another_share_of_validation_does_not_change_test() -> None:
    rows = [make_row(number) for number in range(2_000)]
    first = place(to_rows(rows, 1).drawn, [], STABLE)
    assert first.tolist() != place(to_rows(rows, 2).drawn, [], STABLE).tolist()
    other = place(to_rows(rows, 1).drawn, [], Split(**{**STABLE.model_dump(), "train": 0.6, "validation": 0.25}))
    test = SPLITS.index("test")
    assert ((other == test) == (first == test)).all()

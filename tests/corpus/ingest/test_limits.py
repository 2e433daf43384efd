import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.artifacts import document_schema
from compactlm.corpus.ingest.limits import take, take_drawn
from compactlm.corpus.ingest.records import Record, row_id, to_document
from compactlm.corpus.ingest.repeats import number_repeats
from compactlm.shards.gathering import write_shards
from compactlm.tasks.base import Targets
from tests.fixtures.builders import make_row

RECORDS = st.lists(
    st.builds(
        Record,
        text=st.text("ab", max_size=2),
        document=st.sampled_from([None, "d"]),
        targets=st.builds(Targets, label=st.sampled_from("xy"), score=st.sampled_from([None, 0.5, 1.0])),
        pair=st.sampled_from([None, "", "p"]),
        attributes=st.sampled_from([(("gender", None),), (("gender", "f"),)]),
        queries=st.sampled_from([(), ("q",), ("q", "r")]),
    ),
    min_size=1,
)


def write(records: list[Record], directory: Path, shard_bytes: int) -> list[Path]:
    for old in directory.glob("*"):
        old.unlink()
    schema = document_schema(attributes=True, queries=True, targets=("pair", "score"))
    write_shards((to_document(record, "s", "t") for record in records), directory, shard_bytes, schema)
    return sorted(directory.iterdir())


def rows(shards: list[Path]) -> list[dict[str, Any]]:
    return sorted((row for shard in shards for row in pq.read_table(shard).to_pylist()), key=lambda row: row["id"])


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(RECORDS, st.randoms(use_true_random=False), st.sampled_from([1, 10, 1_000]))
def test_ids_are_unique_and_depend_on_neither_order_nor_shards(
    tmp_path: Path, records: list[Record], rng: random.Random, shard_bytes: int
) -> None:
    first = write(records, tmp_path / "a", 1_000)
    number_repeats(first)
    shuffled = list(records)
    rng.shuffle(shuffled)
    second = write(shuffled, tmp_path / "b", shard_bytes)
    number_repeats(second)
    found = rows(first)
    assert found == rows(second)
    assert len({row["id"] for row in found}) == len(records)
    expected = [(record.text, record.pair or "", record.targets.label) for record in records if record.targets]
    assert sorted((row["text"], row["pair"] or "", row["label"]) for row in found) == sorted(expected)
    assert all(row["document"] in ("d", row["id"]) for row in found)


def test_repeats_are_numbered_in_the_order_of_their_labels(tmp_path: Path) -> None:
    labelled = [("x", "good"), ("y", "good"), ("x", "bad"), ("x", "bad")]
    shards = write([Record(text, None, Targets(label=label)) for text, label in labelled], tmp_path, 1)
    number_repeats(shards)
    names = {row_id("s", None, "x", number): label for number, label in enumerate(["bad", "bad", "good"])}
    assert {row["id"]: row["label"] for row in rows(shards) if row["text"] == "x"} == names


def taken(tmp_path: Path, most: int | None, characters: int | None, seed: int, shard_bytes: int = 40) -> set[str]:
    shards = write([Record("x" * (number % 7 + 1), str(number), None) for number in range(60)], tmp_path, shard_bytes)
    take_drawn(shards, most, characters, seed)
    found = rows(shards)
    assert characters is None or sum(len(row["text"]) for row in found) <= characters
    return {row["id"] for row in found}


@pytest.mark.slow
def test_drawn_rows_grow_with_the_limit_and_depend_only_on_the_seed(tmp_path: Path) -> None:
    assert len(taken(tmp_path, None, None, 1)) == len(taken(tmp_path, 60, 10_000, 1)) == 60
    assert len(taken(tmp_path, 20, None, 1)) == 20
    assert taken(tmp_path, 20, None, 1) == taken(tmp_path, 20, None, 1, shard_bytes=10_000) != taken(tmp_path, 20, None, 2)
    assert taken(tmp_path, 19, None, 1) < taken(tmp_path, 20, None, 1)
    assert taken(tmp_path, None, 50, 1) < taken(tmp_path, None, 60, 1)
    assert taken(tmp_path, 5, 50, 1) == taken(tmp_path, 5, None, 1) & taken(tmp_path, None, 50, 1)


def test_a_maximum_of_rows_or_characters_ends_the_stream() -> None:
    rows = [make_row(str(number), "abcd") for number in range(5)]
    for most, characters, taken in ((None, None, 5), (2, None, 2), (None, 11, 2), (None, 12, 3), (2, 4, 1), (0, None, 0)):
        stream = iter(rows)
        assert list(take(stream, most, characters)) == rows[:taken]
    number_repeats([])
    take_drawn([], 3, None, 1)

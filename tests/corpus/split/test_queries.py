from pathlib import Path
from typing import Any

import pytest

from compactlm import artifacts
from compactlm.artifacts import SPLITS, Document, read_documents
from compactlm.corpus.duplicates.placing import draw_place
from compactlm.corpus.split.metrics import split_metrics
from compactlm.corpus.split.splitting import split_corpus
from compactlm.params import NearDuplicates, Split
from compactlm.shards.engine import LocalEngine
from compactlm.shards.gathering import gather
from tests.corpus.split_rows import SPLIT
from tests.fixtures.builders import scattered_row

SEED = 3
NEAR = NearDuplicates(threshold=0.6, permutations=128, unit="words", size=1)
QUESTION = "which of the two rivers of the old town is the longer one"
ALIKE = "which of the two rivers of the new town is the longer one"


def rows_of_split(split: str, count: int) -> list[Document]:
    """Return rows whose draw places them in a split."""
    found: list[Document] = []
    number = 0
    while len(found) < count:
        row = scattered_row(number, f"passage number {number}")
        share = draw_place(row.id, row.source, row.document, row.text, SEED) / 2**64
        if split == ("test" if share < SPLIT.test else "validation" if share < SPLIT.test + SPLIT.validation else "train"):
            found.append(row)
        number += 1
    return found


def asking(row: Document, *queries: str) -> Document:
    return Document(row.id, row.source, row.text, row.document, queries=tuple(sorted(queries)))


def split_rows(directory: Path, rows: list[Document], shard_bytes: int = 100_000, **changes: Any) -> tuple[dict[str, list[Document]], Any]:
    artifacts.write_documents(directory / "clean", rows)
    settings = Split(**SPLIT.model_dump() | {"placement": "stable", "near_duplicates": NEAR, "across_splits": "leave_out"} | changes)
    found = split_corpus(artifacts.parts(directory / "clean"), directory / "work", settings, SEED, LocalEngine(1), shard_bytes)
    for name in SPLITS:
        gather(found.shards[name], directory / name)
    return {name: read_documents(directory / name) for name in SPLITS}, split_metrics(found, settings, SEED)


@pytest.mark.parametrize(
    ("changes", "train", "validation", "removed"),
    [
        ({}, {"own"}, {"other"}, {"train": 3, "validation": 1, "test": 0}),
        ({"across_splits": "report"}, {"own"}, {"other", ALIKE}, {"train": 2, "validation": 0, "test": 0}),
        ({"near_duplicates": None, "across_splits": "report"}, {"own"}, {"other", ALIKE}, {"train": 2, "validation": 0, "test": 0}),
    ],
)
@pytest.mark.parametrize("shard_bytes", [300, 100_000])
def test_queries_of_a_held_out_row_are_in_no_other_split(
    tmp_path: Path, shard_bytes: int, changes: dict[str, Any], train: set[str], validation: set[str], removed: dict[str, int]
) -> None:
    tests, validations, trains = (rows_of_split(name, 3) for name in ("test", "validation", "train"))
    rows = [
        asking(tests[0], QUESTION, "other words"),
        tests[1],
        asking(validations[0], ALIKE, "other"),
        validations[1],
        asking(trains[0], ALIKE, "own"),
        asking(trains[1], "WHICH of the two rivers of the old town is -- the longer one?"),
        trains[2],
    ]
    if not changes:
        rows[-1] = asking(trains[2], tests[1].text)
    found, metrics = split_rows(tmp_path, rows, shard_bytes, **changes)
    asked = {name: {query for row in found[name] for query in row.queries} for name in SPLITS}
    assert asked == {"train": train, "validation": validation, "test": {QUESTION, "other words"}}
    assert [len(found[name]) for name in SPLITS] == [3, 2, 2]
    assert metrics["queries"]["removed"] == removed
    assert metrics["queries"]["count"] == {name: len(queries) for name, queries in asked.items()}


def test_a_row_that_is_like_a_held_out_query_is_left_out(tmp_path: Path) -> None:
    tests, validations = rows_of_split("test", 1), rows_of_split("validation", 2)
    likes = [scattered_row(number, f"{ALIKE} {number}") for number in range(100, 200)]
    alike = next(row for row in likes if draw_place(row.id, row.source, row.document, row.text, SEED) / 2**64 > 1 - SPLIT.train)
    rows = [asking(tests[0], QUESTION), validations[0], alike, *rows_of_split("train", 2)]
    found, metrics = split_rows(tmp_path, rows)
    assert alike not in found["train"]
    assert len(found["train"]) == 2
    assert metrics["queries"]["rows_left_out"] == {"train": 1, "validation": 0, "test": 0}
    assert metrics["left_out"] == {"s": 1}
    found, metrics = split_rows(tmp_path / "prevent", rows, across_splits="prevent")
    assert alike in found["train"]


def test_rows_without_queries_have_no_figures_of_queries(tmp_path: Path) -> None:
    rows = [row for name in SPLITS for row in rows_of_split(name, 2)]
    assert "queries" not in split_rows(tmp_path, rows)[1]

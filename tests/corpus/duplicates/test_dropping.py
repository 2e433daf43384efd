import random
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compactlm.artifacts import DOCUMENT_SCHEMA, Document, document_schema, read_documents
from compactlm.corpus.duplicates.dropping import AddKeys, deduplicate
from compactlm.corpus.duplicates.winners import judge_equals, judge_near
from compactlm.params import NearDuplicates
from compactlm.shards.engine import LocalEngine, apply
from compactlm.shards.gathering import gather, write_shards
from compactlm.shards.reports import Report, add_counts
from tests.corpus.near_rows import clusters_of
from tests.fixtures.builders import make_row, scattered_row

SETTINGS = NearDuplicates(threshold=0.7, permutations=32, unit="words", size=1)


class Unchanged:
    """A shard function that returns the shard unchanged."""

    def parameters(self) -> dict[str, object]:
        return {}

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        return table, Report()


def corpus() -> list[Document]:
    rng = random.Random(8)
    rows = []
    for number in range(160):
        words = rng.choices("the a film actor music story was good bad long short very".split(), k=rng.choice([1, 2, 9]))
        label = rng.choice([None, None, "good", "bad"])
        text = rng.choice([str.upper, str.lower])(" ".join(words))
        rows.append(scattered_row(number, text, rng.choice("st"), label))
    return rows


def drop_duplicates(rows: list[Document], dropped: Counter[tuple[str, str]]) -> list[Document]:
    """Return the rows without exact duplicates, found in all rows at once; count the dropped rows by source and reason."""
    alike: defaultdict[str, list[Document]] = defaultdict(list)
    for document in rows:
        alike[document.text.casefold()].append(document)
    gone = [judged for group in alike.values() for judged in judge_equals(group)]
    dropped.update((document.source, reason) for document, reason in gone)
    names = {document.id for document, _ in gone}
    return sorted((document for document in rows if document.id not in names), key=lambda document: document.id)


@pytest.mark.parametrize("near", [None, SETTINGS], ids=["exact", "near"])
@pytest.mark.parametrize("shard_bytes", [900, 10_000_000])
def test_shards_lose_the_same_duplicates_as_all_rows_at_once(tmp_path: Path, shard_bytes: int, near: NearDuplicates | None) -> None:
    rows = corpus()
    dropped: Counter[tuple[str, str]] = Counter()
    expected = drop_duplicates(rows, dropped)
    assert dropped.total() > 20
    if near is not None:
        exact = len(expected)
        groups: defaultdict[int, list[Document]] = defaultdict(list)
        for row, number in zip(expected, clusters_of([row.text for row in expected], near, 1, tmp_path), strict=True):
            groups[number].append(row)
        gone = [row for group in groups.values() for row in judge_near(group)]
        dropped.update((row.source, "near_duplicate") for row in gone)
        expected = [row for row in expected if row not in gone]
        assert len(expected) < exact
    write_shards(rows, tmp_path / "in", shard_bytes)
    pq.write_table(DOCUMENT_SCHEMA.empty_table(), tmp_path / "in" / "part-99999.parquet")
    shards, _ = apply(sorted((tmp_path / "in").iterdir()), tmp_path / "keyed", LocalEngine(1), AddKeys(Unchanged()))
    left, manifests = deduplicate(shards, tmp_path / "work", LocalEngine(1), near, seed=1, samples=2)
    gather(left, tmp_path / "artifact")
    assert read_documents(tmp_path / "artifact") == expected
    counts = add_counts(manifest.report.dropped for manifest in manifests)
    assert {(source, reason): count for source, reasons in counts.items() for reason, count in reasons.items()} == dict(dropped)
    shown = [manifest.report.samples for manifest in manifests]
    assert {kind for samples in shown for kind in samples} == {f"{source} {reason}" for source, reason in dropped}
    assert all(len(found) <= 2 for samples in shown for found in samples.values())


@pytest.mark.parametrize("shard_bytes", [100, 10_000_000])
def test_the_queries_of_dropped_rows_go_to_the_row_that_stays(tmp_path: Path, shard_bytes: int) -> None:
    rows = [
        make_row("0" * 32, "one text", queries=("b", "c")),
        make_row("4" * 32, "One Text", queries=("a", "c")),
        make_row("8" * 32, "of two words more or less or many", queries=("d",)),
        make_row("9" * 32, "of two words more or less or some", label="good"),
        make_row("c" * 32, "contradictory", label="good", queries=("e",)),
        make_row("d" * 32, "contradictory", label="bad", queries=("f",)),
        make_row("e" * 32, "alone", queries=("g",)),
        make_row("f" * 32, "nothing like it"),
    ]
    write_shards(rows, tmp_path / "in", shard_bytes, document_schema(attributes=False, queries=True))
    shards, _ = apply(sorted((tmp_path / "in").iterdir()), tmp_path / "keyed", LocalEngine(1), AddKeys(Unchanged()))
    left, _ = deduplicate(shards, tmp_path / "work", LocalEngine(1), SETTINGS, seed=1, samples=2)
    gather(left, tmp_path / "artifact")
    found = {row.id[0]: row.queries for row in read_documents(tmp_path / "artifact")}
    assert found == {"0": ("a", "b", "c"), "9": ("d",), "e": ("g",), "f": ()}

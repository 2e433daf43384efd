from pathlib import Path

import pyarrow.parquet as pq
import pytest

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.shards import gathering
from compactlm.shards.gathering import count_by_source, cut, gather, text_bytes, write_shards
from tests.fixtures.builders import scattered_row


def row(number: int, text: str | None = None) -> Document:
    return scattered_row(number, text or f"caf\u00e9 {number}", "st"[number % 2])


def rows_of(shards: list[Path]) -> list[str]:
    return [name for shard in shards for name in pq.read_table(shard)["id"].to_pylist()]


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(artifacts, "ROWS_PER_SHARD", 130)
    monkeypatch.setattr(gathering, "_BATCH", 17)
    write_shards([row(number) for number in range(400)], tmp_path / "shards", 1_000)
    assert gather(artifacts.parts(tmp_path / "shards"), tmp_path / "parts") == 4
    return artifacts.parts(tmp_path / "parts")


@pytest.mark.parametrize("shard_bytes", [50, 400, 100_000])
def test_parts_are_cut_into_shards_of_a_size_in_the_order_of_ids(parts: list[Path], tmp_path: Path, shard_bytes: int) -> None:
    shards = cut(parts, tmp_path / "cut", shard_bytes)
    assert rows_of(shards) == rows_of(parts) == sorted(rows_of(parts))
    assert len(shards) == 1 if shard_bytes == 100_000 else text_bytes(shards) / len(shards) <= shard_bytes
    gather(shards, tmp_path / "again")
    assert [path.read_bytes() for path in artifacts.parts(tmp_path / "again")] == [path.read_bytes() for path in parts]


def test_a_changed_row_changes_only_its_shard(parts: list[Path], tmp_path: Path) -> None:
    before = [path.read_bytes() for path in cut(parts, tmp_path / "cut", 400)]
    write_shards([row(number) for number in range(399)] + [row(399, "caf\u00e9 other")], tmp_path / "shards", 1_000)
    gather(artifacts.parts(tmp_path / "shards"), tmp_path / "parts")
    after = [path.read_bytes() for path in cut(artifacts.parts(tmp_path / "parts"), tmp_path / "cut", 400)]
    assert len(before) == len(after) > 8
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_the_text_of_a_part_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PART_BYTES", 500)
    write_shards([row(number, "x" * 100) for number in range(40)], tmp_path / "shards", 10_000)
    assert gather(artifacts.parts(tmp_path / "shards"), tmp_path / "parts") == 8


def test_shards_of_a_larger_corpus_are_removed(parts: list[Path], tmp_path: Path) -> None:
    many = cut(parts, tmp_path / "cut", 100)
    few = cut(parts[:1], tmp_path / "cut", 100_000)
    assert len(many) > len(few) == len(list((tmp_path / "cut").iterdir()))


def test_rows_and_characters_are_counted_by_source(parts: list[Path]) -> None:
    texts = [f"caf\u00e9 {number}" for number in range(400)]
    expected = {source: {"rows": 200, "characters": sum(map(len, texts[start::2]))} for start, source in enumerate("st")}
    assert count_by_source(parts) == expected
    assert count_by_source(parts, characters=False) == {source: {"rows": 200} for source in "st"}

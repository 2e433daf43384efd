import os
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from compactlm import artifacts
from compactlm.artifacts import Document
from compactlm.corpus.clean.clean_shard import CleanShard
from compactlm.errors import CompactLMError
from compactlm.params import FilterSettings
from compactlm.shards import shards
from compactlm.shards.engine import LocalEngine
from compactlm.shards.fingerprint import fingerprint
from compactlm.shards.gathering import gather, write_shards
from compactlm.shards.reports import Report
from compactlm.shards.shards import ShardTask, manifest_path, process_shard, read_manifest, tasks_for
from tests.fixtures.builders import scattered_row

FILTERS = TypeAdapter(list[FilterSettings]).validate_python(
    [
        {"kind": "remove_markup"},
        {"kind": "mask_personal", "of": ["email"], "region": "US"},
        {"kind": "fold_white_space", "keep_lines": False},
        {"kind": "length", "unit": "characters", "minimum": 8, "maximum": 60},
    ]
)
CLEAN = CleanShard(tuple(FILTERS), seed=7, samples=2)


def corpus(size: int = 300) -> list[Document]:
    rng = random.Random(4)
    rows = []
    for number in range(size):
        text = rng.choice(["film <b>{}</b> was good", "{}", "", "mail a{}@b.example now", "long {} " * 12]).replace("{}", str(number))
        rows.append(scattered_row(number, text, rng.choice("st")))
    return rows


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_gathered_shards_have_the_same_bytes_as_written_documents(tmp_path: Path) -> None:
    write_shards(corpus(), tmp_path / "in", 1_000)
    assert gather(sorted((tmp_path / "in").iterdir()), tmp_path / "parts") == 1
    artifacts.write_documents(tmp_path / "whole", corpus())
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


@pytest.fixture
def tasks(tmp_path: Path) -> list[ShardTask]:
    write_shards(corpus(), tmp_path / "in", 4_000)
    return tasks_for(artifacts.parts(tmp_path / "in"), tmp_path / "out")


class Counting:
    """A shard function that keeps all rows and counts its calls; a call can raise KeyboardInterrupt."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.calls, self.dies_at = 0, dies_at

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        self.calls += 1
        return table, Report()


def calls(tasks: list[ShardTask], key: str = "key") -> int:
    counting = Counting()
    LocalEngine(1).run(tasks, counting, key)
    return counting.calls


def test_after_a_kill_only_unfinished_shards_are_processed(tasks: list[ShardTask]) -> None:
    assert len(tasks) > 2
    with pytest.raises(KeyboardInterrupt):
        LocalEngine(1).run(tasks, Counting(dies_at=2), "key")
    assert calls(tasks) == len(tasks) - 2
    assert calls(tasks) == 0


def alter_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def alter_the_report(path: Path) -> None:
    manifest = artifacts.read_json(path)
    manifest["report"]["dropped"] = {"s": {"too_short": 99}}
    artifacts.write_json(path, manifest)


@pytest.mark.parametrize(
    ("of_manifest", "damage"),
    [
        (False, alter_a_byte),
        (False, lambda path: os.truncate(path, 100)),
        (False, Path.unlink),
        (True, Path.unlink),
        (True, lambda path: os.truncate(path, 40)),
        (True, alter_the_report),
        (True, lambda path: path.write_text('{"report": {"more": 1}}')),  # a manifest of another version
    ],
)
def test_only_a_damaged_shard_is_processed_again(tasks: list[ShardTask], of_manifest: bool, damage: Callable[[Path], object]) -> None:
    calls(tasks)
    before = content(tasks[0].target.parent)
    damage(manifest_path(tasks[1].target) if of_manifest else tasks[1].target)
    assert calls(tasks) == 1
    assert content(tasks[0].target.parent) == before


def test_a_shard_without_its_manifest_is_unfinished_after_a_kill(tasks: list[ShardTask], monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shards, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            process_shard(tasks[0], Counting(), "key")
    assert tasks[0].target.is_file()
    assert read_manifest(tasks[0].target) is None
    assert calls(tasks[:1]) == 1


def test_a_changed_row_repeats_its_shard_and_changed_parameters_repeat_all(tasks: list[ShardTask]) -> None:
    calls(tasks)
    table = pq.read_table(tasks[1].source)
    texts = table["text"].to_pylist()
    pq.write_table(table.set_column(2, table.schema.field("text"), pa.array([*texts[:-1], "changed"])), tasks[1].source)
    assert calls(tasks) == 1
    assert calls(tasks, "another key") == len(tasks)


def test_the_fingerprint_depends_on_parameters_and_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "code.py").write_text("x = 1")
    monkeypatch.setattr("compactlm.shards.fingerprint.PACKAGE", tmp_path)
    monkeypatch.setattr("compactlm.shards.fingerprint.CODE", ("corpus",))
    before = fingerprint({})
    (tmp_path / "corpus" / "code.py").write_text("x = 2")
    assert fingerprint({}) != before
    assert CLEAN.parameters() != CleanShard(CLEAN.filters[1:], seed=7, samples=2).parameters()


def test_files_that_belong_to_no_shard_are_removed(tasks: list[ShardTask], tmp_path: Path) -> None:
    calls(tasks)
    for shard in sorted((tmp_path / "in").iterdir())[1:]:
        shard.unlink()
    (tmp_path / "out" / ".part-00001.parquet.unfinished").write_text("half")
    left = tasks_for(artifacts.parts(tmp_path / "in"), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["part-00000.json", "part-00000.parquet"]
    assert calls(left) == 0


def test_a_lost_row_is_an_error(tasks: list[ShardTask]) -> None:
    with pytest.raises(RuntimeError, match=r"0 were added, but 1 went out and 0 were"):
        process_shard(tasks[0], lambda table: (table.slice(0, 1), Report()), "key")
    assert not tasks[0].target.exists()


def test_an_input_that_is_truncated_or_has_other_columns_is_refused(tasks: list[ShardTask]) -> None:
    os.truncate(tasks[0].source, 200)
    pq.write_table(pa.table({"text": ["x"]}), tasks[1].source)
    for task, message in ((tasks[0], r"part-00000\.parquet .*parquet"), (tasks[1], r"part-00001\.parquet .*columns")):
        with pytest.raises(CompactLMError, match=message):
            process_shard(task, Counting(), "key")

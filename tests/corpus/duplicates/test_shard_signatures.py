import hashlib
import random
from pathlib import Path

import pytest

from compactlm.artifacts import Document
from compactlm.corpus.duplicates.shard_signatures import SignatureShards, SignShard
from compactlm.params import NearDuplicates
from compactlm.shards.engine import LocalEngine
from compactlm.shards.gathering import write_shards
from compactlm.shards.shards import tasks_between
from tests.corpus.near_rows import clusters_of

SETTINGS = NearDuplicates(threshold=0.7, permutations=64, unit="words", size=2)


def corpus() -> list[Document]:
    rng = random.Random(6)
    texts = [" ".join(rng.choices([f"w{word}" for word in range(900)], k=40)) for _ in range(80)]
    texts += [f"{text} more" for text in texts[:25]] + [f"some {text} more" for text in texts[:10]]
    names = [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts]
    return [Document(id=name, source="s", text=text, document=name) for name, text in zip(names, texts, strict=True)]


@pytest.mark.parametrize("shard_bytes", [5_000, 10_000_000])
def test_clusters_across_shards_are_those_of_the_whole(tmp_path: Path, shard_bytes: int) -> None:
    rows = corpus()
    write_shards(rows, tmp_path / "in", shard_bytes)
    tasks = tasks_between(tmp_path / "in", tmp_path / "signatures")
    LocalEngine(1).run(tasks, SignShard(SETTINGS, seed=3), "key")
    stored = SignatureShards([task.target for task in tasks])
    whole = clusters_of([row.text for row in rows], SETTINGS, 3, tmp_path)
    expected: dict[int, set[str]] = {}
    for row, number in zip(rows, whole, strict=True):
        expected.setdefault(number, set()).add(row.id)
    found: dict[int, set[str]] = {}
    for name, number in zip(stored.ids(), stored.clusters(SETTINGS).tolist(), strict=True):
        found.setdefault(number, set()).add(name)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected.values()))
    assert sum(len(members) == 3 for members in found.values()) == 10
    assert len(stored) == len(rows) == 115

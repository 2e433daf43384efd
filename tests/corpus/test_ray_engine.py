"""The same shards by Ray, on a cluster of two nodes of one machine, one of which is killed half-way."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from compactlm.artifacts import Document
from compactlm.corpus.engine import LocalEngine, make_engine
from compactlm.corpus.gathering import write_shards
from compactlm.corpus.shards import Report, ShardTask, tasks_between
from compactlm.errors import CompactLMError

ray = pytest.importorskip("ray", reason="the extra compactlm[ray] is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    # Workers import this package and this test from where they lie.
    os.environ["RAY_DEDUP_LOGS"] = "0"
    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    running.second = running.add_node(num_cpus=1)
    yield running
    ray.shutdown()
    running.shutdown()


@pytest.fixture
def tasks(tmp_path: Path) -> list[ShardTask]:
    names = [hashlib.blake2b(bytes([number]), digest_size=16).hexdigest() for number in range(60)]
    write_shards((Document(id=name, source="s", text=f"text {name}", document=name) for name in names), tmp_path / "in", 300)
    return tasks_between(tmp_path / "in", tmp_path / "out")


class Slowly:
    """Drops every third row of a shard, after a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        time.sleep(self.seconds)
        kept = [index for index in range(len(table)) if index % 3]
        return table.take(pa.array(kept, pa.int64())), Report({"s": {"third": len(table) - len(kept)}} if len(table) > len(kept) else {})


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_ray_gives_the_bytes_of_this_process_although_a_node_dies(cluster: Any, tasks: list[ShardTask]) -> None:
    import threading

    locally = [ShardTask(task.source, task.target.parent.with_name("local") / task.target.name) for task in tasks]
    expected = LocalEngine(1).run(locally, Slowly(0), "key")
    killer = threading.Timer(3, cluster.remove_node, [cluster.second], {"allow_graceful": False})
    killer.start()
    found = make_engine("ray", 2, cluster.address).run(tasks, Slowly(0.5), "key")
    killer.join()
    assert sum(node["Alive"] for node in ray.nodes()) == 1
    assert found == expected
    assert content(tasks[0].target.parent) == content(locally[0].target.parent)


def test_a_shard_that_cannot_be_read_ends_in_one_sentence(cluster: Any, tasks: list[ShardTask]) -> None:
    os.truncate(tasks[1].source, 100)
    with pytest.raises(CompactLMError, match=r"part-00001\.parquet cannot be read as parquet"):
        make_engine("ray", 2, cluster.address).run(tasks, Slowly(0), "key")

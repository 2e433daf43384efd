"""The same shards by Ray, on a cluster of two nodes of one machine, one of which is killed half-way."""

import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from compactlm.artifacts import Document
from compactlm.corpus.engine import LocalEngine, make_engine
from compactlm.corpus.gathering import write_shards
from compactlm.corpus.shards import Report, ShardTask, tasks_between
from compactlm.errors import CompactLMError

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
ray = pytest.importorskip("ray", reason="the extra compactlm[ray] is not installed")


class Nodes:
    """A cluster with a head that takes no tasks, and two workers that take one each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        node = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **node})
        self.workers = [self.cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20) for _ in range(2)]
        self.address: str = self.cluster.address

    def kill_a_worker(self) -> None:
        self.cluster.remove_node(self.workers.pop(), allow_graceful=False)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    # The functions below are sent as they are: the workers cannot import a test.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    running = Nodes()
    yield running
    ray.shutdown()
    running.cluster.shutdown()


@pytest.fixture
def tasks(tmp_path: Path) -> list[ShardTask]:
    names = [hashlib.blake2b(bytes([number]), digest_size=16).hexdigest() for number in range(60)]
    write_shards((Document(id=name, source="s", text=f"text {name}", document=name) for name in names), tmp_path / "in", 300)
    return tasks_between(tmp_path / "in", tmp_path / "out")


class Slowly:
    """Drops every third row of a shard, after a while, and leaves a file for each time that it is called."""

    def __init__(self, seconds: float, calls: Path) -> None:
        self.seconds, self.calls = seconds, calls
        calls.mkdir(exist_ok=True)

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        (self.calls / f"{time.time_ns()}-{os.getpid()}").touch()
        time.sleep(self.seconds)
        kept = [index for index in range(len(table)) if index % 3]
        return table.take(pa.array(kept, pa.int64())), Report({"s": {"third": len(table) - len(kept)}} if len(table) > len(kept) else {})


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_ray_gives_the_bytes_of_local_processes_although_a_node_is_killed(nodes: Nodes, tasks: list[ShardTask], tmp_path: Path) -> None:
    results = {}
    for processes in (1, 2):
        target = tmp_path / f"local-{processes}"
        locally = [ShardTask(task.source, target / task.target.name) for task in tasks]
        results[processes] = LocalEngine(processes).run(locally, Slowly(0, tmp_path / "calls"), "key"), content(target)
    assert results[1] == results[2]
    calls = tmp_path / "ray-calls"

    def kill_half_way() -> None:
        while len(list(calls.iterdir())) < len(tasks) // 2:
            time.sleep(0.05)
        nodes.kill_a_worker()

    function = Slowly(0.7, calls)
    killer = threading.Thread(target=kill_half_way)
    killer.start()
    found = make_engine("ray", 2, nodes.address).run(tasks, function, "key")
    killer.join()
    assert len(nodes.workers) == 1
    assert len({path.name.partition("-")[2] for path in calls.iterdir()}) >= 2  # both workers had shards
    assert (found, content(tasks[0].target.parent)) == results[1]
    before = len(list(calls.iterdir()))
    assert make_engine("ray", 2, nodes.address).run(tasks, function, "key") == found
    assert len(list(calls.iterdir())) == before  # finished shards are not done again


def test_a_shard_that_cannot_be_read_ends_in_one_sentence(nodes: Nodes, tasks: list[ShardTask], tmp_path: Path) -> None:
    os.truncate(tasks[1].source, 100)
    with pytest.raises(CompactLMError, match=r"part-00001\.parquet cannot be read as parquet"):
        make_engine("ray", 2, nodes.address).run(tasks, Slowly(0, tmp_path / "calls"), "key")


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CompactLMError, match=r"data\.engine is ray, but Ray is not installed; run pip install 'compactlm\[ray\]'"):
        make_engine("ray", 2, None)
    assert isinstance(make_engine("local", 2, None), LocalEngine)

"""Ray gives the same shards, on a cluster of two workers on this machine, also if one of them is killed."""

import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from compactlm import artifacts
from compactlm.artifacts import SPLITS
from compactlm.corpus.clean.cleaning import clean_corpus
from compactlm.corpus.split.splitting import split_corpus
from compactlm.errors import CompactLMError
from compactlm.params import Clean, NearDuplicates, Split
from compactlm.shards.engine import Engine, LocalEngine, make_engine
from compactlm.shards.gathering import gather, write_shards
from compactlm.shards.reports import Report
from compactlm.shards.shards import ShardFunction, ShardTask, tasks_for
from tests.fixtures.builders import make_row

pytestmark = pytest.mark.slow

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
ray = pytest.importorskip("ray", reason="the extra compactlm[ray] is not installed")

NEAR = NearDuplicates(threshold=0.8, permutations=64, unit="words", size=2)
SPLIT = Split(
    train=0.7, validation=0.15, test=0.15, placement="stable", near_duplicates=NEAR, across_splits="leave_out", weights={}, sources={}
)
CLEAN = Clean(profile="bert", filters=None, minimum_characters=10, maximum_characters=900, sentences=None, near_duplicates=NEAR, samples=2)
ONE_SHARD, MANY_SHARDS = 10_000_000, 4_000  # bytes


class Nodes:
    """A cluster with a head that runs no tasks and two workers that run one task each."""

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
    # The workers cannot import this module, so its functions are sent to them.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    running = Nodes()
    yield running
    ray.shutdown()
    running.cluster.shutdown()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """An artifact of rows, some of which are dirty, too short or near-duplicates."""
    rng = random.Random(4)
    words = "film story warm cold ended began river town people music never very good long quiet play night house".split()
    dirt = ("", "<b>so</b> ", "caf\u00c3\u00a9 ")
    texts = [rng.choice(dirt) + " ".join(rng.choices(words, k=rng.randrange(1, 30))) for _ in range(240)]
    texts += [f"{text} indeed" for text in texts[:40]] + texts[40:60]
    names = [f"{rng.getrandbits(128):032x}" for _ in texts]
    artifacts.write_documents(tmp_path / "raw", [make_row(name, text, rng.choice("st")) for name, text in zip(names, texts, strict=True)])
    return tmp_path / "raw"


class Slowly:
    """A slow shard function that writes a file for each call."""

    def __init__(self, function: ShardFunction, calls: Path) -> None:
        self.function, self.calls = function, calls

    def __call__(self, table: pa.Table) -> tuple[pa.Table, Report]:
        (self.calls / f"{time.time_ns()}-{os.getpid()}").touch()
        time.sleep(0.25)
        return self.function(table)


def results(corpus: Path, work: Path, engine: Engine, shard_bytes: int) -> tuple[dict[str, bytes], object]:
    """Clean and split the corpus; return the bytes of all artifacts and the report of cleaning."""
    cleaned = clean_corpus(artifacts.parts(corpus), work / "clean", CLEAN, 7, engine, shard_bytes)
    gather(cleaned.shards, work / "out" / "clean")
    split = split_corpus(artifacts.parts(work / "out" / "clean"), work / "split", SPLIT, 7, engine, shard_bytes)
    for name in SPLITS:
        gather(split.shards[name], work / "out" / name)
    content = {str(path.relative_to(work)): path.read_bytes() for path in sorted((work / "out").rglob("*.parquet"))}
    return content, (cleaned.kept, cleaned.dropped, cleaned.samples)


def test_ray_gives_the_same_bytes_as_local_processes_when_a_node_is_killed(
    nodes: Nodes, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = results(corpus, tmp_path / "one", LocalEngine(1), ONE_SHARD)
    assert len(expected[0]) == 4
    assert "near_duplicate" in str(expected[1])
    assert results(corpus, tmp_path / "many", LocalEngine(1), MANY_SHARDS) == expected
    assert results(corpus, tmp_path / "two", LocalEngine(2), MANY_SHARDS) == expected
    calls = tmp_path / "calls"
    calls.mkdir()
    shards = len(list((tmp_path / "many" / "clean" / "in").glob("part-*.parquet")))
    assert shards >= 4

    def kill_half_way() -> None:
        while len(list(calls.iterdir())) < shards // 2 + 1:
            time.sleep(0.02)
        nodes.kill_a_worker()

    engine = make_engine("ray", 2, nodes.address)
    run = engine.run
    monkeypatch.setattr(engine, "run", lambda tasks, function, fingerprint: run(tasks, Slowly(function, calls), fingerprint))
    killer = threading.Thread(target=kill_half_way)
    killer.start()
    assert results(corpus, tmp_path / "ray", engine, MANY_SHARDS) == expected
    killer.join()
    assert len(nodes.workers) == 1
    assert len({path.name.partition("-")[2] for path in calls.iterdir()}) >= 2  # both workers had shards
    done = len(list(calls.iterdir()))
    assert results(corpus, tmp_path / "ray", engine, MANY_SHARDS) == expected
    assert len(list(calls.iterdir())) == done  # finished shards are not processed again


def test_an_unreadable_shard_is_refused(nodes: Nodes, corpus: Path, tmp_path: Path) -> None:
    write_shards(artifacts.read_documents(corpus), tmp_path / "in", MANY_SHARDS)
    tasks = tasks_for(artifacts.parts(tmp_path / "in"), tmp_path / "out")
    os.truncate(tasks[1].source, 100)
    with pytest.raises(CompactLMError, match=r"part-00001\.parquet .*cannot be read"):
        make_engine("ray", 2, nodes.address).run(tasks, lambda table: (table, Report()), "key")


def test_an_unreachable_cluster_is_named(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def refused(**_: object) -> None:
        raise ConnectionError("nobody\nanswers")

    monkeypatch.setattr(ray, "init", refused)
    with pytest.raises(CompactLMError, match=r"the Ray cluster 10\.0\.0\.9:6379 .*\(nobody answers\)"):
        make_engine("ray", 2, "10.0.0.9:6379").run([], lambda table: (table, Report()), "key")


@pytest.mark.parametrize("fails", ["put", "remote", "wait"])
def test_a_lost_cluster_is_reported(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    def gone(*_: object, **__: object) -> None:
        raise ray.exceptions.RaySystemError("nobody\nanswers")

    class Remote:
        remote = staticmethod(gone if fails == "remote" else lambda *_: "task")

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "remote", lambda **_: lambda _: Remote)
    monkeypatch.setattr(ray, "put", gone if fails == "put" else lambda _: "function")
    monkeypatch.setattr(ray, "wait", gone)
    monkeypatch.setattr(ray, "cancel", gone)
    tasks = [ShardTask(Path("one"), Path("two"))]
    with pytest.raises(CompactLMError, match=r"the Ray cluster .*\(.*nobody answers\)"):
        make_engine("ray", 2, None).run(tasks, lambda table: (table, Report()), "key")


def test_a_missing_installation_of_ray_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CompactLMError, match=r"data\.engine is ray.*'compactlm\[ray\]'"):
        make_engine("ray", 2, None)
    assert isinstance(make_engine("local", 2, None), LocalEngine)

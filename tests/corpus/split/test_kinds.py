"""The split of rows of each kind of task: what stays in proportion, and which rows stay together."""

import dataclasses
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from compactlm import artifacts
from compactlm.artifacts import NO_ANSWER, SPLITS, Document, read_documents
from compactlm.corpus.split.metrics import split_metrics
from compactlm.corpus.split.splitting import SplitCorpus, check_tasks, check_weights, split_corpus
from compactlm.errors import CompactLMError
from compactlm.params import NearDuplicates, Task
from compactlm.shards.engine import LocalEngine
from compactlm.shards.gathering import gather
from tests.corpus.split_rows import SPLIT
from tests.fixtures.builders import scattered_row

TASKS = {
    "pairs": Task(sources=["p"], labels=["no", "yes"], pair=True),
    "topics": Task(kind="multilabel", sources=["m"], labels=["love", "rare", "war"]),
    "ratings": Task(kind="regression", sources=["r"]),
    "names": Task(kind="tagging", sources=["t"], labels=["loc", "per"]),
    "answers": Task(kind="span", sources=["a"]),
}
NEAR = NearDuplicates(threshold=0.7, permutations=64, unit="words", size=1)


def row(number: int, text: str, task: str, **columns: Any) -> Document:
    return dataclasses.replace(scattered_row(number, text, TASKS[task].sources[0]), task=task, **columns)


def passage(number: int) -> str:
    return f"passage {number} " + " ".join(f"w{number * 7 + at}" for at in range(12))


def corpus() -> list[Document]:
    rng = random.Random(1)
    rows = []
    for at in range(200):
        of = at // 4 if at % 2 else 1_000 + at  # half of the pairs share their passage with others
        text = passage(of) if at % 3 else passage(of).upper() + " !"
        rows.append(row(at, f"q{at}?", "pairs", pair=text, label="yes" if at % 5 else "no"))
    for at in range(1_000, 1_200):
        labels = tuple(label for label, share in (("love", 0.6), ("war", 0.3)) if rng.random() < share)
        rows.append(row(at, f"topic {at}", "topics", labels=(*labels, "rare") if at < 1_004 else labels))
    rows += [row(at, f"rating {at}", "ratings", score=float(rng.gauss(0, 1))) for at in range(2_000, 2_300)]
    for at in range(3_000, 3_200):
        tags = ("O", rng.choice(["B-loc", "B-per", "O", "O"]))
        rows.append(row(at, f"word {at}", "names", words=("word", str(at)), tags=tags))
    for at in range(4_000, 4_200):
        answered = at % 4 > 0
        answer = {"answer": "passage", "answer_start": 0} if answered else {"answer": None, "answer_start": NO_ANSWER}
        rows.append(row(at, passage(at // 3), "answers", pair=f"why {at}?", **answer))
    return rows


def split(
    rows: list[Document], directory: Path, shard_bytes: int = 100_000, **changes: Any
) -> tuple[SplitCorpus, dict[str, list[Document]]]:
    artifacts.write_documents(directory / "clean", rows)
    settings = SPLIT.model_copy(update=changes)
    found = split_corpus(artifacts.parts(directory / "clean"), directory / "work", settings, 3, LocalEngine(1), shard_bytes, TASKS)
    parts = {}
    for name, shards in found.shards.items():
        gather(shards, directory / "split" / name)
        parts[name] = read_documents(directory / "split" / name)
    return found, parts


def of_task(rows: list[Document], task: str) -> list[Document]:
    return [one for one in rows if one.task == task]


def passages(rows: list[Document]) -> set[str]:
    return {"".join(filter(str.isalnum, max(one.text, one.pair or "", key=len))).casefold() for one in rows if one.pair is not None}


@pytest.mark.parametrize("placement", ["stratified", "stable"])
def test_no_passage_is_in_two_splits(tmp_path: Path, placement: str) -> None:
    found, parts = split(corpus(), tmp_path, placement=placement)
    of_each = [passages(rows) for rows in parts.values()]
    assert sum(map(len, of_each)) == len(set.union(*of_each))
    assert sum(map(len, parts.values())) == 1_100, "no row is lost"
    check_tasks(found.rows, found.homes, found.groups, TASKS)
    check_weights(found.rows, found.homes, found.mixture.labels, TASKS)


def test_every_kind_keeps_its_shares(tmp_path: Path) -> None:
    _, parts = split(corpus(), tmp_path)
    for task in TASKS:
        sizes = [len(of_task(parts[name], task)) for name in SPLITS]
        assert [size / sum(sizes) for size in sizes] == pytest.approx([0.7, 0.15, 0.15], abs=0.05)
    for label, share in (("love", 0.6), ("war", 0.3)):
        counted = [sum(label in (one.labels or ()) for one in of_task(parts[name], "topics")) for name in SPLITS]
        assert [count / sum(counted) for count in counted] == pytest.approx([0.7, 0.15, 0.15], abs=0.06), (label, share)
    assert all(any("rare" in (one.labels or ()) for one in of_task(parts[name], "topics")) for name in SPLITS), "four rows"
    means = [sum(one.score or 0 for one in of_task(parts[name], "ratings")) / len(of_task(parts[name], "ratings")) for name in SPLITS]
    assert max(means) - min(means) < 0.2
    for kind in ("B-loc", "B-per"):
        counted = [sum(kind in (one.tags or ()) for one in of_task(parts[name], "names")) for name in SPLITS]
        assert [count / sum(counted) for count in counted] == pytest.approx([0.7, 0.15, 0.15], abs=0.06)
    unanswered = [Counter(one.answer is None for one in of_task(parts[name], "answers")) for name in SPLITS]
    assert [count[True] / count.total() for count in unanswered] == pytest.approx([0.25] * 3, abs=0.12)


def test_metrics_have_the_share_of_rows_with_each_label(tmp_path: Path) -> None:
    found, parts = split(corpus(), tmp_path)
    metrics: Any = split_metrics(found, SPLIT, 3)
    assert metrics["leakage"]["as_split"] == {"duplicates": 0, "documents": 0}
    assert metrics["leakage"]["rows_drawn_singly"]["duplicates"] > 0
    labels = metrics["labels"]["test"]
    topics = of_task(parts["test"], "topics")
    assert labels["topics"]["love"]["value"] == pytest.approx(sum("love" in (one.labels or ()) for one in topics) / len(topics), abs=1e-6)
    assert labels["topics"]["love"]["rows"] == len(topics)
    assert set(labels["ratings"]) == {f"part_{number}" for number in range(1, 6)}
    assert set(labels["names"]) == {"loc", "per"}
    assert set(labels["answers"]) == {"answer", "no_answer"}
    assert set(labels["pairs"]) == {"no", "yes"}


def test_the_size_of_the_shards_changes_nothing(tmp_path: Path) -> None:
    one = split(corpus(), tmp_path / "a", near_duplicates=NEAR, across_splits="leave_out")[1]
    other = split(corpus(), tmp_path / "b", shard_bytes=4_000, near_duplicates=NEAR, across_splits="leave_out")[1]
    assert one == other


def test_pairs_whose_passages_are_near_do_not_cross_splits(tmp_path: Path) -> None:
    rows = [row(at, f"q{at}?", "pairs", pair=f"{passage(at // 2)} end{at}", label="yes" if at % 2 else "no") for at in range(120)]
    found, parts = split(rows, tmp_path, near_duplicates=NEAR, across_splits="leave_out")
    starts = [{(one.pair or "").partition(" end")[0] for one in part} for part in parts.values()]
    assert sum(map(len, starts)) == len(set.union(*starts)), "although the labels of the pairs differ"
    assert (found.homes < 0).any()


def test_a_label_that_a_split_lacks_is_named(tmp_path: Path) -> None:
    rows = [one for one in corpus() if "rare" not in (one.labels or ())]
    found, _ = split(rows, tmp_path)
    with pytest.raises(CompactLMError, match=r"tasks\.topics: split train has \d+ of its rows but none with the label rare \(0 groups"):
        check_tasks(found.rows, found.homes, found.groups, TASKS)

import random
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm import artifacts
from compactlm.artifacts import SPLITS, Document, read_documents
from compactlm.corpus.duplicates.placing import duplicate_key
from compactlm.corpus.split.document_groups import crossings, group
from compactlm.corpus.split.metrics import rows_like_protected, split_metrics
from compactlm.corpus.split.splitting import SplitCorpus, check_tasks, check_weights, decide, losses, split_corpus
from compactlm.errors import CompactLMError
from compactlm.params import NearDuplicates, Split, Task
from compactlm.shards.engine import LocalEngine
from compactlm.shards.gathering import gather
from tests.corpus.split_rows import SPLIT, split_of, to_rows
from tests.fixtures.builders import make_row

TASKS = {"sentiment": Task(sources=["s"], labels=["good", "bad"], metric="accuracy")}
NEAR = NearDuplicates(threshold=0.7, permutations=64, unit="words", size=1)


def corpus(size: int, seed: int = 0) -> list[Document]:
    """Two labelled thirds and a third of documents of up to nine rows, with some near-exact duplicates."""
    rng = random.Random(seed)
    rows = [make_row(number, label=rng.choice(["good", "good", "bad"])) for number in range(2 * size // 3)]
    while len(rows) < size:
        name = f"d{len(rows)}"
        rows += [make_row(len(rows) + offset, document=name, source="u") for offset in range(rng.randint(1, 9))]
    for number in range(0, len(rows), 40):
        rows.append(make_row(len(rows), text=rows[number].text.upper() + " !!", source="u"))
    return rows


ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "A!", "b", "c-c", "cc", "!"]), st.sampled_from([None, None, None, "d1", "d2"]), st.sampled_from("su")),
    min_size=1,
    max_size=60,
).map(
    lambda cells: [
        make_row(number, text=text if number % 3 == 0 else None, document=of, source=source)
        for number, (text, of, source) in enumerate(cells)
    ]
)


def keys_of(row: Document) -> tuple[str, tuple[str, str]]:
    return duplicate_key(row.text), (row.source, row.document)


@given(ROWS)
def test_groups_are_the_rows_connected_by_either_key(rows: list[Document]) -> None:
    found = to_rows(rows)
    groups = group([found.duplicates, found.documents])
    members: defaultdict[int, list[Document]] = defaultdict(list)
    for row, number in zip(rows, groups.tolist(), strict=True):
        members[number].append(row)
    assert list(dict.fromkeys(groups.tolist())) == list(range(len(members)))  # in the order of their first rows
    homes: dict[Any, int] = {}
    for row, number in zip(rows, groups.tolist(), strict=True):
        assert all(homes.setdefault(key, number) == number for key in keys_of(row))
    for alike in members.values():
        reached, more = [], alike[:1]
        while more:
            reached += more
            known = {key for row in reached for key in keys_of(row)}
            more = [row for row in alike if row not in reached and known & set(keys_of(row))]
        assert len(reached) == len(alike)


@given(st.text(max_size=20))
def test_the_duplicate_key_has_the_case_folded_letters_and_digits(text: str) -> None:
    key = duplicate_key(text or "!")
    folded = re.sub(r"[\W_]+", "", (text or "!").casefold())
    assert key == (folded or text or "!")
    assert duplicate_key("?".join(["", *(text or "!"), ""])) == key or not folded


@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(0, 2**40), st.lists(st.integers(0, 9), min_size=60, max_size=60), st.sampled_from(["stratified", "stable"]))
def test_a_split_is_a_partition_without_leaks(rows: list[Document], seed: int, clusters: list[int], placement: str) -> None:
    found, near = to_rows(rows), np.array(clusters[: len(rows)]) + np.arange(len(rows)) // 4 * 10
    prevent = SPLIT.model_copy(update={"across_splits": "prevent", "placement": placement})
    groups = group([found.duplicates, found.documents, near])
    if groups.max() < 2 and placement == "stratified":
        with pytest.raises(CompactLMError, match="too few for three splits"):
            decide(found, near, prevent, seed)
        return
    homes, by = decide(found, near, prevent, seed)
    assert by.tolist() == groups.tolist()
    assert set(homes.tolist()) == {0, 1, 2} if placement == "stratified" else set(homes.tolist()) <= {-1, 0, 1, 2}
    assert set(crossings({"duplicates": found.duplicates, "documents": found.documents, "near": near}, homes).values()) == {0}
    assert rows_like_protected(homes, near) == {"validation": 0, "train": 0}


@settings(max_examples=10, deadline=None)
@given(st.integers(900, 1500), st.integers(0, 9), st.sampled_from([(0.7, 0.15, 0.15), (0.8, 0.1, 0.1), (0.5, 0.2, 0.3)]))
def test_sizes_sources_and_labels_keep_their_shares(size: int, seed: int, shares: tuple[float, float, float]) -> None:
    rows = corpus(size, seed)
    split = Split(**{**SPLIT.model_dump(), "train": shares[0], "validation": shares[1], "test": shares[2]})
    splits = split_of(rows, decide(to_rows(rows), None, split, seed)[0])
    good = sum(member.label == "good" for member in rows) / sum(member.task is not None for member in rows)
    unlabelled = sum(member.source == "u" for member in rows) / len(rows)
    for part, share in zip(splits.values(), shares, strict=True):
        assert len(part) / len(rows) == pytest.approx(share, abs=0.02)
        counts = Counter(member.label for member in part)
        assert counts["good"] / (counts["good"] + counts["bad"]) == pytest.approx(good, abs=0.03)
        assert sum(member.source == "u" for member in part) / len(part) == pytest.approx(unlabelled, abs=0.1)  # in few and large groups


def test_a_stratified_split_equals_that_of_the_first_release() -> None:
    # The measured experiments depend on these splits.
    first_release = (
        "00100020110010000200000000000110002200020102000010012000100000020200012200020020111111000000000000000000000011111000000000010"
    )
    rows = corpus(120)
    homes, others = (decide(to_rows(rows), None, SPLIT, seed)[0].tolist() for seed in (3, 4))
    assert "".join(map(str, homes)) == first_release
    assert others != homes


def test_a_split_without_a_label_of_a_task_is_refused() -> None:
    rows = to_rows([make_row(number, label="bad" if number < 4 else "good") for number in range(40)])
    homes = np.zeros(40, dtype=np.int8)
    homes[10:20], homes[20:30] = 1, 2
    with pytest.raises(CompactLMError, match=r"tasks\.sentiment: split \w+ has \d+ of its rows .* label bad \(4 groups of rows\)"):
        check_tasks(rows, homes, np.arange(40), TASKS)
    few = to_rows([make_row(number, label="bad" if number == 10 else "good") for number in range(40)])
    with pytest.raises(CompactLMError, match=r"tasks\.sentiment: split train has \d+ of its rows .* label bad \(1 groups of rows\)"):
        check_tasks(few, homes, np.arange(40), TASKS)
    rows = to_rows(corpus(300))
    check_tasks(rows, *decide(rows, None, SPLIT, 0), TASKS)


def split(rows: list[Document], tmp_path: Path, shard_bytes: int = 100_000, **changes: Any) -> SplitCorpus:
    artifacts.write_documents(tmp_path / "clean", rows)
    settings = Split(**{**SPLIT.model_dump(), "near_duplicates": NEAR, **changes})
    return split_corpus(artifacts.parts(tmp_path / "clean"), tmp_path / "work", settings, 3, LocalEngine(1), shard_bytes)


def written(found: SplitCorpus, directory: Path) -> dict[str, list[Document]]:
    for name in SPLITS:
        gather(found.shards[name], directory / name)
    return {name: read_documents(directory / name) for name in SPLITS}


def near_duplicates(rows: list[Document]) -> list[Document]:
    words = "a long text of many words that is nearly the same as another one"
    return [*rows, *(make_row(len(rows) + number, f"{words} {number} number {number}") for number in range(60))]


@pytest.mark.parametrize("placement", ["stratified", "stable"])
def test_the_size_of_the_shards_changes_nothing(tmp_path: Path, placement: str) -> None:
    rows = near_duplicates(corpus(200))
    results = []
    for shard_bytes in (100_000, 900):
        found = split(rows, tmp_path / str(shard_bytes), shard_bytes, placement=placement, weights={"u": 0.5, "s": 1.5})
        settings = Split(**{**SPLIT.model_dump(), "placement": placement, "weights": {"u": 0.5}})
        results.append((written(found, tmp_path / str(shard_bytes)), split_metrics(found, settings, 3)))
    assert len(list((tmp_path / "900" / "work" / "in").iterdir())) > 4
    assert results[0] == results[1]


@pytest.mark.parametrize("placement", ["stratified", "stable"])
def test_near_duplicates_across_splits_are_reported_or_prevented(tmp_path: Path, placement: str) -> None:
    rows = near_duplicates(corpus(300))
    reported = split(rows, tmp_path / "a", placement=placement)
    assert rows_like_protected(reported.homes, reported.clusters)["train"] > 20  # type: ignore[arg-type]
    assert reported.leakage()["near_duplicates"] == 1
    prevented = split(rows, tmp_path / "b", placement=placement, across_splits="prevent")
    assert rows_like_protected(prevented.homes, prevented.clusters) == {"validation": 0, "train": 0}  # type: ignore[arg-type]
    assert prevented.leakage() == {"duplicates": 0, "documents": 0, "near_duplicates": 0}
    parts = written(prevented, tmp_path / "b")
    assert sum(map(len, parts.values())) == len(rows) - int((prevented.homes < 0).sum())
    assert (placement == "stable") == bool((prevented.homes < 0).any())
    metrics: Any = split_metrics(prevented, Split(**{**SPLIT.model_dump(), "placement": placement}), 3)
    assert sum(metrics["rows"].values()) + sum(metrics.get("left_out", {}).values()) == len(rows)


def test_only_near_duplicates_of_held_out_rows_are_left_out(tmp_path: Path) -> None:
    rows = near_duplicates(corpus(300))
    before = split(rows, tmp_path / "a")
    after = split(rows, tmp_path / "b", across_splits="leave_out")
    gone = after.homes < 0
    assert gone.sum() == sum(rows_like_protected(before.homes, before.clusters).values()) > 20  # type: ignore[arg-type]
    assert (after.homes[~gone] == before.homes[~gone]).all()
    assert (after.homes[before.homes == artifacts.SPLITS.index("test")] >= 0).all()
    assert after.leakage()["near_duplicates"] == 0
    metrics: Any = split_metrics(after, SPLIT.model_copy(update={"across_splits": "leave_out"}), 3)
    assert sum(metrics["left_out"].values()) == gone.sum()
    assert sum(metrics["rows"].values()) + gone.sum() == len(rows)


@pytest.mark.parametrize("placement", ["stratified", "stable"])
def test_labelled_rows_of_one_template_are_not_left_out(tmp_path: Path, placement: str) -> None:
    def message(number: int) -> str:
        return f"your order {number} of the shop in our town has been sent to the address that you gave us and will arrive on day {number}"

    labelled = [make_row(number, text=message(number), label=("good", "bad")[number % 2]) for number in range(300)]
    copies = [make_row(300 + number, text=message(number).upper(), label=("good", "bad")[number % 2]) for number in range(20)]
    one_label = [
        make_row(400 + number, text=f"this message number {number} is always of the same kind", label="good") for number in range(90)
    ]
    unlabelled = [make_row(500 + number, text=message(900 + number), source="u") for number in range(60)]
    rows = [*labelled, *copies, *one_label, *unlabelled]
    found = split(rows, tmp_path, placement=placement, across_splits="leave_out")
    gone = found.homes < 0
    assert not gone[:300].any()
    assert gone[320:410].sum() > 10  # one label: such rows are like held-out ones
    assert gone[410:].sum() > 10
    assert found.leakage()["near_duplicates"] == 1
    assert found.leakage()["duplicates"] == 0
    [sentence] = losses(found, TASKS)
    assert sentence.startswith(f"{gone[:410].sum()} of 410 rows of s are left out")
    assert "always of the same kind" in sentence
    assert rows_like_protected(found.homes, found.clusters)["train"] > 100  # type: ignore[arg-type]


def test_metrics_count_the_leakage_with_and_without_groups(tmp_path: Path) -> None:
    rows = corpus(600)
    found = split(rows, tmp_path, near_duplicates=None)
    metrics: Any = split_metrics(found, SPLIT, 3)
    assert metrics["leakage"]["as_split"] == {"duplicates": 0, "documents": 0}
    assert metrics["leakage"]["rows_drawn_singly"]["documents"] > 10
    assert metrics["leakage"]["rows_drawn_singly"]["duplicates"] > 0
    assert sum(metrics["rows"].values()) == len(rows)
    assert sum(metrics["share"].values()) == pytest.approx(1, abs=1e-5)
    shares = metrics["labels"]["test"]["sentiment"].values()
    assert sum(share["value"] for share in shares) == pytest.approx(1, abs=1e-5)
    assert {share["rows"] for share in shares} == {sum(row.label is not None for row in written(found, tmp_path)["test"])}


def test_weights_repeat_and_leave_out_rows_of_train_only(tmp_path: Path) -> None:
    rows = corpus(300)
    plain = written(split(rows, tmp_path / "plain"), tmp_path / "plain")
    found = split(rows, tmp_path / "mixed", weights={"s": 2.0, "u": 0.25})
    mixed = written(found, tmp_path / "mixed")
    assert (mixed["validation"], mixed["test"]) == (plain["validation"], plain["test"])
    labelled = [row for row in plain["train"] if row.source == "s"]
    copies = [row for row in mixed["train"] if row.parent is not None]
    assert sorted(str(row.parent) for row in copies) == [row.id for row in labelled]
    assert all(row.augmenter == "mixture" and row.label is not None for row in copies)
    assert len({row.id for row in mixed["train"]}) == len(mixed["train"])
    kept = [row for row in mixed["train"] if row.source == "u"]
    others = [row for row in plain["train"] if row.source == "u"]
    assert {row.id for row in kept} < {row.id for row in others}
    assert 0.1 < len(kept) / len(others) < 0.4
    assert found.mixture.left_out == Counter({"u": len(others) - len(kept)})
    assert found.mixture.repeated == Counter({"s": len(labelled)})


def test_weights_that_leave_train_without_a_label_are_refused(tmp_path: Path) -> None:
    found = split(corpus(300), tmp_path / "none", weights={"s": 0.0})
    with pytest.raises(CompactLMError, match=r"tasks\.sentiment: split\.weights .* label (good|bad)"):
        check_weights(found.rows, found.homes, found.mixture.labels, TASKS)
    found = split(corpus(300), tmp_path / "some", weights={"s": 0.5, "u": 0.0})
    check_weights(found.rows, found.homes, found.mixture.labels, TASKS)

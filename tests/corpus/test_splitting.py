import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compactlm.artifacts import Document
from compactlm.corpus import grouping
from compactlm.corpus.grouping import crossings, duplicate_key, group
from compactlm.corpus.splitting import check_tasks, split_documents, split_metrics
from compactlm.errors import CompactLMError
from compactlm.params import Split, Task

SPLIT = Split(train=0.7, validation=0.15, test=0.15)
TASKS = {"mood": Task(sources=["s"], labels=["good", "bad"], metric="accuracy")}


def row(number: int, text: str | None = None, document: str | None = None, source: str = "s", label: str | None = None) -> Document:
    name = f"{number:05d}"
    task = "mood" if label else None
    return Document(id=name, source=source, text=text or f"text {name}", document=document or name, task=task, label=label)


def corpus(size: int, seed: int = 0) -> list[Document]:
    """Two labelled thirds and a third of documents of up to nine rows, with some near-exact duplicates."""
    rng = random.Random(seed)
    rows = [row(number, label=rng.choice(["good", "good", "bad"])) for number in range(2 * size // 3)]
    while len(rows) < size:
        document = f"d{len(rows)}"
        rows += [row(len(rows) + offset, document=document, source="u") for offset in range(rng.randint(1, 9))]
    for number in range(0, len(rows), 40):
        rows.append(row(len(rows), text=rows[number].text.upper() + " !!", source="u"))
    return rows


ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "A!", "b", "c-c", "cc", "!"]), st.sampled_from([None, None, None, "d1", "d2"]), st.sampled_from("su")),
    min_size=1,
    max_size=60,
).map(
    lambda cells: [
        row(number, text=text if number % 3 == 0 else None, document=document, source=source)
        for number, (text, document, source) in enumerate(cells)
    ]
)


@given(ROWS, st.randoms(use_true_random=False))
def test_groups_are_a_partition_closed_under_both_keys(rows: list[Document], rng: random.Random) -> None:
    groups = group(rows)
    assert sorted(member.id for members in groups for member in members) == [member.id for member in rows]
    home = {member.id: index for index, members in enumerate(groups) for member in members}
    for left in rows:
        for right in rows:
            if any(key(left) == key(right) for key in grouping.KEYS.values()):
                assert home[left.id] == home[right.id]
    rng.shuffle(rows)
    assert group(rows) == groups


def test_what_shares_nothing_stays_apart_and_chains_are_followed() -> None:
    chain = [row(0, "same", "d1"), row(1, "SAME!", "d2"), row(2, "other", "d2"), row(3, "other too", "d3"), row(4, "x", "d2", source="u")]
    assert [[member.id for member in members] for members in group(chain)] == [["00000", "00001", "00002"], ["00003"], ["00004"]]


@given(st.text(max_size=20))
def test_the_duplicate_key_is_letters_and_digits_case_folded(text: str) -> None:
    key = duplicate_key(row(0, text=text or "!"))
    folded = grouping._OTHER.sub("", (text or "!").casefold())
    assert key == (folded or text or "!")
    assert duplicate_key(row(1, text="?".join(["", *(text or "!"), ""]))) == key or not folded


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(0, 2**40), st.randoms(use_true_random=False))
def test_a_split_is_a_partition_without_leaks_whatever_the_order(rows: list[Document], seed: int, rng: random.Random) -> None:
    if len(group(rows)) < 3:
        with pytest.raises(CompactLMError, match="too few for three splits"):
            split_documents(rows, SPLIT, seed)
        return
    splits = split_documents(rows, SPLIT, seed)
    assert sorted(member.id for part in splits.values() for member in part) == [member.id for member in rows]
    assert all(splits.values())
    assert crossings(splits) == {"duplicates": 0, "documents": 0}
    shuffled = list(rows)
    rng.shuffle(shuffled)
    assert split_documents(shuffled, SPLIT, seed) == splits


@settings(max_examples=10, deadline=None)
@given(st.integers(900, 1500), st.integers(0, 9), st.sampled_from([(0.7, 0.15, 0.15), (0.8, 0.1, 0.1), (0.5, 0.2, 0.3)]))
def test_sizes_sources_and_labels_keep_their_shares(size: int, seed: int, shares: tuple[float, float, float]) -> None:
    rows = corpus(size, seed)
    splits = split_documents(rows, Split(train=shares[0], validation=shares[1], test=shares[2]), seed)
    good = sum(member.label == "good" for member in rows) / sum(member.task is not None for member in rows)
    unlabelled = sum(member.source == "u" for member in rows) / len(rows)
    for part, share in zip(splits.values(), shares, strict=True):
        assert len(part) / len(rows) == pytest.approx(share, abs=0.02)
        counts = Counter(member.label for member in part)
        assert counts["good"] / (counts["good"] + counts["bad"]) == pytest.approx(good, abs=0.03)
        assert sum(member.source == "u" for member in part) / len(part) == pytest.approx(unlabelled, abs=0.06)


def test_another_seed_splits_otherwise() -> None:
    rows = corpus(300)
    assert split_documents(rows, SPLIT, 1) != split_documents(rows, SPLIT, 2)


def test_metrics_count_the_leakage_that_grouping_prevents() -> None:
    rows = corpus(600)
    metrics = split_metrics(split_documents(rows, SPLIT, 3), rows, SPLIT, 3)
    assert metrics["leakage"]["as_split"] == {"duplicates": 0, "documents": 0}
    assert metrics["leakage"]["rows_drawn_singly"]["documents"] > 10
    assert metrics["leakage"]["rows_drawn_singly"]["duplicates"] > 0
    assert sum(metrics["rows"].values()) == len(rows)
    assert sum(metrics["share"].values()) == pytest.approx(1, abs=1e-5)
    assert sum(metrics["labels"]["test"]["mood"].values()) == pytest.approx(1, abs=1e-5)


def test_a_split_without_a_label_of_a_task_is_refused() -> None:
    rows = [row(number, label="bad" if number == 0 else "good") for number in range(40)]
    with pytest.raises(
        CompactLMError, match=r"tasks\.mood: split \w+ has \d+ of its rows and none with the label bad; it needs more rows of s"
    ):
        check_tasks(split_documents(rows, SPLIT, 0), TASKS)
    check_tasks(split_documents(corpus(300), SPLIT, 0), TASKS)

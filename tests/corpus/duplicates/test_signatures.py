import random
from pathlib import Path

import pytest

from compactlm.artifacts import Document, parts
from compactlm.corpus.duplicates.signatures import SignatureShards, SignShard, character_shingles, signatures, word_shingles
from compactlm.params import NearDuplicates
from compactlm.shards.engine import LocalEngine
from compactlm.shards.gathering import write_shards
from compactlm.shards.shards import tasks_for
from tests.corpus.near_rows import clusters_of
from tests.fixtures.builders import make_row, scattered_id

WORDS = NearDuplicates(threshold=0.7, permutations=128, unit="words", size=2)
SETTINGS = NearDuplicates(threshold=0.7, permutations=64, unit="words", size=2)


def corpus() -> list[Document]:
    rng = random.Random(6)
    texts = [" ".join(rng.choices([f"w{word}" for word in range(900)], k=40)) for _ in range(80)]
    texts += [f"{text} more" for text in texts[:25]] + [f"some {text} more" for text in texts[:10]]
    return [make_row(scattered_id(text), text) for text in texts]


@pytest.mark.parametrize("shard_bytes", [5_000, 10_000_000])
def test_clusters_across_shards_are_those_of_the_whole(tmp_path: Path, shard_bytes: int) -> None:
    rows = corpus()
    write_shards(rows, tmp_path / "in", shard_bytes)
    tasks = tasks_for(parts(tmp_path / "in"), tmp_path / "signatures")
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


VOCABULARY = [f"w{number}" for number in range(3_000)]


def text(rng: random.Random, words: int = 60) -> list[str]:
    return rng.choices(VOCABULARY, k=words)


def test_equal_places_estimate_the_jaccard_similarity() -> None:
    rng = random.Random(1)
    errors = []
    for changed in (0, 10, 20, 40):
        first = [f"a{rng.random()}" for _ in range(120)]
        second = first[: 120 - changed] + [f"b{rng.random()}" for _ in range(changed)]
        one = NearDuplicates(threshold=0.7, permutations=512, unit="words", size=1)
        left, right = signatures([" ".join(word.replace(".", "") for word in words) for words in (first, second)], one, seed=5)
        errors.append(abs((left == right).mean() - (120 - changed) / (120 + changed)))
    assert max(errors) < 0.08


def test_near_duplicates_are_found_whatever_their_case_and_what_differs_is_left_alone(tmp_path: Path) -> None:
    rng = random.Random(2)
    originals = [text(rng) for _ in range(150)]
    copies = [" ".join([*words[:29], "other", *words[30:]]).upper() + "!" for words in originals[:30]]
    halves = [" ".join(words[:30] + text(rng, 30)) for words in originals[30:60]]
    clusters = clusters_of([*(" ".join(words) for words in originals), *copies, *halves], WORDS, 3, tmp_path)
    assert clusters == [*range(150), *range(30), *range(180, 210)]


def test_the_seed_draws_the_permutations() -> None:
    texts = ["one two three four", "one two three five"]
    assert (signatures(texts, WORDS, 1) == signatures(texts, WORDS, 1)).all()
    assert (signatures(texts, WORDS, 1) != signatures(texts, WORDS, 2)).any()
    assert signatures([], WORDS, 1).shape == (0, 128)


def test_without_rows_nothing_is_alike(tmp_path: Path) -> None:
    assert clusters_of([], WORDS, 1, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "size", "shingles"),
    [
        ("The cat, the CAT; the dog!", 2, ["cat the", "the cat", "the dog"]),
        ("Only two", 3, ["only two"]),
        ("", 2, [""]),
        ("?!", 2, ["?!"]),
        ("\u0645\u0631\u062d\u0628\u0627 \u0628\u0643", 1, ["\u0628\u0643", "\u0645\u0631\u062d\u0628\u0627"]),
    ],
)
def test_runs_of_words(text: str, size: int, shingles: list[str]) -> None:
    assert word_shingles(text, size) == shingles


def test_runs_of_characters() -> None:
    assert character_shingles("A-b  ab", 3) == [" ab", " b ", "a b", "b a"]
    assert character_shingles("ab", 3) == ["ab"]
    assert character_shingles("", 3) == [""]

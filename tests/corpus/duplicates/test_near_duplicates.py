import random
from collections import Counter
from pathlib import Path

from compactlm.artifacts import Document
from compactlm.corpus.duplicates.near_duplicates import drop_near_duplicates, signatures
from compactlm.params import NearDuplicates
from tests.corpus.near_rows import clusters_of

WORDS = NearDuplicates(threshold=0.7, permutations=128, unit="words", size=2)
VOCABULARY = [f"w{number}" for number in range(3_000)]


def text(rng: random.Random, words: int = 60) -> list[str]:
    return rng.choices(VOCABULARY, k=words)


def row(name: str, label: str | None = None) -> Document:
    return Document(id=name, source="s", text="x", document=name, task="mood" if label else None, label=label)


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


def test_one_row_of_a_cluster_stays_and_one_of_each_label() -> None:
    rows = [row("d"), row("b"), row("c", "good"), row("a"), row("g", "bad"), row("e", "good"), row("f")]
    dropped: Counter[tuple[str, str]] = Counter()
    kept = drop_near_duplicates(rows, [0, 0, 2, 0, 2, 2, 2], dropped)
    assert [document.id for document in kept] == ["a", "c", "g"]
    assert dropped == Counter({("s", "near_duplicate"): 4})
    turned = drop_near_duplicates(rows[::-1], [2, 2, 2, 0, 2, 0, 0], Counter())
    assert turned == kept


def test_without_rows_nothing_is_alike(tmp_path: Path) -> None:
    assert clusters_of([], WORDS, 1, tmp_path) == []

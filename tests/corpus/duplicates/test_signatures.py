import random
from collections.abc import Callable
from pathlib import Path

import pytest

from compactlm.corpus.duplicates.signatures import character_shingles, signatures, word_shingles
from compactlm.params import NearDuplicates
from tests.corpus.near_rows import clusters_of

WORDS = NearDuplicates(threshold=0.7, permutations=128, unit="words", size=2)
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


def test_near_duplicates_are_found_in_any_case_and_different_texts_are_not(tmp_path: Path) -> None:
    rng = random.Random(2)
    originals = [text(rng) for _ in range(150)]
    copies = [" ".join([*words[:29], "other", *words[30:]]).upper() + "!" for words in originals[:30]]
    halves = [" ".join(words[:30] + text(rng, 30)) for words in originals[30:60]]
    clusters = clusters_of([*(" ".join(words) for words in originals), *copies, *halves], WORDS, 3, tmp_path)
    assert clusters == [*range(150), *range(30), *range(180, 210)]
    assert clusters_of([], WORDS, 3, tmp_path) == []


def test_the_seed_draws_the_permutations() -> None:
    texts = ["one two three four", "one two three five"]
    assert (signatures(texts, WORDS, 1) == signatures(texts, WORDS, 1)).all()
    assert (signatures(texts, WORDS, 1) != signatures(texts, WORDS, 2)).any()
    assert signatures([], WORDS, 1).shape == (0, 128)


@pytest.mark.parametrize(
    ("shingles_of", "text", "size", "shingles"),
    [
        (word_shingles, "The cat, the CAT; the dog!", 2, ["cat the", "the cat", "the dog"]),
        (word_shingles, "Only two", 3, ["only two"]),
        (word_shingles, "", 2, [""]),
        (word_shingles, "?!", 2, ["?!"]),
        (word_shingles, "\u0645\u0631\u062d\u0628\u0627 \u0628\u0643", 1, ["\u0628\u0643", "\u0645\u0631\u062d\u0628\u0627"]),
        (character_shingles, "A-b  ab", 3, [" ab", " b ", "a b", "b a"]),
        (character_shingles, "ab", 3, ["ab"]),
        (character_shingles, "", 3, [""]),
    ],
)
def test_shingles(shingles_of: Callable[[str, int], list[str]], text: str, size: int, shingles: list[str]) -> None:
    assert shingles_of(text, size) == shingles

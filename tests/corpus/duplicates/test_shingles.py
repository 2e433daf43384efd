import pytest

from compactlm.corpus.duplicates.shingles import character_shingles, word_shingles


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

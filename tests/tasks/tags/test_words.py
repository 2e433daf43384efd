import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks.tags.words import find_words
from tests.tasks.texts import CHARACTERS, HARD


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  \n", []),
        ("Bern", ["Bern"]),
        ("Kim (Bern), 3.5% well-known don't!!", ["Kim", "(", "Bern", ")", ",", "3.5", "%", "well-known", "don't", "!!"]),
        ("...", ["..."]),
        ("@user likes #topic: https://example.org/a_b?c=1", ["@user", "likes", "#topic", ":", "https://example.org/a_b?c=1"]),
        ("mail me@example.org now", ["mail", "me@example.org", "now"]),
        ("東京 is big", ["東", "京", "is", "big"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("שלום, עולם", ["שלום", ",", "עולם"]),
    ],
)
def test_words_of_a_text(text, words):
    assert [text[start:end] for start, end in find_words(text)] == words


@given(st.lists(st.one_of(st.sampled_from(HARD), st.text(CHARACTERS, max_size=5))).map(" ".join))
def test_words_hold_every_character_but_spaces_once_and_in_order(text):
    found = find_words(text)
    assert "".join(text[start:end] for start, end in found) == "".join(text.split())
    assert all(start < end for start, end in found)
    assert found == sorted(found)
    assert all(text[start:end] == text[start:end].strip() for start, end in found)

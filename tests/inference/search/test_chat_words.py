import pytest

from compactlm.inference.search.chat_words import FULL, in_full


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("who r u", "who are you"),
        ("Who R U?", "Who are you?"),
        ("plz help, idk", "please help, i do not know"),
        ("ur shop's hours", "your shop's hours"),
        ("", ""),
    ],
)
def test_abbreviations_are_written_in_full(text, full):
    assert in_full(text) == full


def test_a_text_without_abbreviations_stays_as_it_is():
    text = "Are you open on Sundays? R2D2 was here, by the way."
    assert in_full(text) == text
    assert all(in_full(full) == full for full in FULL.values())

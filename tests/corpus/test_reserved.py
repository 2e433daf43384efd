import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.augment_words import split_everything
from compactlm.corpus.reserved import NOTHING, Reserved

ALL = Reserved(("names", "numbers", "negations", "protected"), ["she", "Actress"])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The film by Anna Smith was good.", ["Anna", "Smith"]),
        ('It ended. Then I left. "Well," said Bob', ["Bob"]),
        ("(Not) in 1999, nor 2nd; twenty-two don\u2019t", ["(Not)", "1999,", "nor", "2nd;", "don\u2019t"]),
        ("she and an ACTRESS spoke of iPhones", ["she", "ACTRESS", "iPhones"]),
        ("good - very good", []),
        ("[EMAIL] wrote. [SOCIAL_SECURITY], so what? [PHONE]: busy", ["[EMAIL]", "[SOCIAL_SECURITY],", "[PHONE]:"]),
    ],
)
def test_what_is_reserved(text: str, kept: list[str]) -> None:
    words = text.split()
    assert [words[place] for place in sorted(ALL.places(words))] == kept


def test_white_space_and_marks_between_words_change_nothing() -> None:
    words = split_everything("It ended. Then Anna left, and never 3 times.")
    assert [words[place] for place in sorted(ALL.places(words))] == ["Anna", "never", "3"]
    words = split_everything("[SOCIAL_SECURITY] is a placeholder")
    assert [words[place] for place in sorted(ALL.places(words))] == ["SOCIAL_SECURITY"]


@given(st.lists(st.text(max_size=8), max_size=12))
def test_without_kinds_nothing_is_reserved(words: list[str]) -> None:
    assert NOTHING.places(words) == set()
    assert all(place < len(words) for place in ALL.places(words))


def test_each_kind_can_be_asked_for_alone() -> None:
    words = "We met Anna three times, never her".split()
    for kind, kept in (("names", {"Anna"}), ("numbers", {"three"}), ("negations", {"never"}), ("protected", {"her"})):
        assert {words[place] for place in Reserved([kind], ["her"]).places(words)} == kept  # type: ignore[list-item]

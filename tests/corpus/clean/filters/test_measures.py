import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.clean.filters.base import Dropped
from compactlm.corpus.clean.filters.measures import count_characters, within_length, within_share


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("", "words", "empty"),
        ("a b", "words", "too_short"),
        ("a b c", "words", None),
        ("a b c d e f", "words", "too_long"),
        ("ab", "characters", "too_short"),
        ("abcdef", "characters", "too_long"),
        ("\u0645\u0631\u062d", "characters", None),
    ],
)
def test_length(text: str, unit: str, reason: str | None) -> None:
    assert within_length(text, unit, 3, 5) == (Dropped(reason) if reason else text)  # type: ignore[arg-type]
    assert within_length(text + "x" * 10_000, "characters", 1, None) == text + "x" * 10_000


@pytest.mark.parametrize(
    ("text", "of", "reason"),
    [
        ("plain words", "letters", None),
        ("a 12 34", "letters", "few_letters"),
        ("plain words", "digits", "few_digits"),
        ("$$$ %% a1", "symbols", None),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", "letters", None),  # marks that combine belong to letters
        ("   ", "letters", None),
    ],
)
def test_shares(text: str, of: str, reason: str | None) -> None:
    assert within_share(text, of, 0.4, 1.0) == (Dropped(reason) if reason else text)  # type: ignore[arg-type]
    assert within_share("!!!! a", "symbols", 0.0, 0.5) == Dropped("many_symbols")


@given(st.text(max_size=60))
def test_each_visible_character_has_one_kind_in_ascii_and_other_text(text: str) -> None:
    counts = count_characters(text)
    assert sum(counts.values()) == sum(not character.isspace() for character in text)
    longer = count_characters(text + "\u00e9")  # the code for text that is not ASCII
    assert longer == {**counts, "letters": counts["letters"] + 1}

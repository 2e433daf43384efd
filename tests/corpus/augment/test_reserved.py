import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.augment.reserved import NOTHING, Reserved
from compactlm.corpus.augment.words import split_everything
from compactlm.fairness.groups import Lexicon
from compactlm.params import Attribute

ALL = Reserved(("names", "numbers", "negations", "protected"), ["she", "Actress"])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The film by Anna Smith was good.", ["Anna", "Smith"]),
        ('It ended. Then I left. "Well," said Bob', ["Bob"]),
        ("(Not) in 1999, nor 2nd; twenty-two don\u2019t", ["(Not)", "1999,", "nor", "2nd;", "twenty-two", "don\u2019t"]),
        ("she and an ACTRESS spoke of iPhones", ["she", "ACTRESS", "iPhones"]),
        ("good - very good", []),
        ("it didnt help no-one; a fourth, good\u2014not great", ["didnt", "no-one;", "fourth,", "good\u2014not"]),
        ("once more, dozens of them and two-thirds of us", ["once", "dozens", "two-thirds"]),
        ("Bow Wow sings. George Clooney directs. Then, Bob left. Funny film!", ["Bow", "Wow", "George", "Clooney", "Bob"]),
        ("A film. I saw Anna. That is it", ["Anna."]),
        ("[EMAIL] wrote. [SOCIAL_SECURITY], so what? [PHONE]: busy", ["[EMAIL]", "[SOCIAL_SECURITY],", "[PHONE]:"]),
    ],
)
def test_reserved_words(text: str, kept: list[str]) -> None:
    words = text.split()
    assert [words[place] for place in sorted(ALL.places(words))] == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It ended. Then Anna left, and never 3 times.", ["Then", "Anna", "never", "3"]),
        ("It ended. George Clooney left; then (Anna) came. So! Bob", ["George", "Clooney", "Anna"]),
        ("[SOCIAL_SECURITY] is a placeholder", ["SOCIAL_SECURITY"]),
    ],
)
def test_reserved_words_between_separate_white_space_and_marks(text: str, kept: list[str]) -> None:
    words = split_everything(text)
    assert [words[place] for place in sorted(ALL.places(words))] == kept


@given(st.lists(st.text(max_size=8), max_size=12))
def test_without_kinds_nothing_is_reserved(words: list[str]) -> None:
    assert NOTHING.places(words) == set()
    assert all(place < len(words) for place in ALL.places(words))


TERMS = ["woman", "she", "he", "old man", "man of letters", "middle-aged"]
TEXTS_WITH_TERMS = [
    ("An old man came, and the woman\u2019s story", ["old", "man", "woman\u2019s"]),
    ("She's here; he'll stay, he\u2019d say (woman-led)", ["She's", "he'll", "he\u2019d", "woman-led"]),
    ('an "Old\n man" is middle-aged', ["Old", "man", "middle-aged"]),
    ("an old man of letters", ["old", "man", "of", "letters"]),
    ("the old house of a man, where womanly shells lie", []),
]


@pytest.mark.parametrize("split", [str.split, split_everything])
@pytest.mark.parametrize(("text", "kept"), TEXTS_WITH_TERMS)
def test_reserved_terms_are_those_that_the_audit_finds(text: str, kept: list[str], split) -> None:
    words, reserved = split(text), Reserved(["protected"], TERMS)
    assert [words[place].strip('",;()') for place in sorted(reserved.places(words)) if words[place].strip()] == kept
    groups = Lexicon(
        Attribute(found_in="text", groups={"one": TERMS[:3], "other": TERMS[3:]}, privileged="one", swaps=[], swaps_before_noun=[])
    )
    assert bool(kept) == bool(groups.mentioned(text))


def test_a_word_that_contains_a_protected_term_is_listed() -> None:
    reserved = Reserved(["protected", "negations"], TERMS)
    assert all(reserved.is_listed(word) for word in ("she", "SHE'S", "old man", "nobody\u2019s"))
    assert not any(reserved.is_listed(word) for word in ("womanly", "old", "body's"))


@pytest.mark.parametrize("split", [str.split, split_everything])
def test_a_title_does_not_end_a_sentence(split) -> None:
    words = split("Mr. Smith met (Dr. Ames) and Prof . Lee. Then St. John left. Is he a Dr.? Perhaps.")
    kept = [words[place].strip(".()?") for place in sorted(Reserved(["names"]).places(words))]
    assert kept == ["Smith", "Dr", "Ames", "Prof", "Lee", "Then", "St", "John", "Dr"]


def test_each_kind_can_be_reserved_alone() -> None:
    words = "We met Anna three times, never her".split()
    for kind, kept in (("names", {"Anna"}), ("numbers", {"three"}), ("negations", {"never"}), ("protected", {"her"})):
        assert {words[place] for place in Reserved([kind], ["her"]).places(words)} == kept  # type: ignore[list-item]

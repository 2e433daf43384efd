import csv
import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from compactlm.fairness.groups import Lexicon
from compactlm.fairness.swaps.counterfactual import Swapper, make_counterfactuals
from tests.fixtures.builders import make_attribute, make_row

FLOOR = 0.92  # just below the accuracy of 92.4 % that was measured on held-out sentences


def read_sentences(name):
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["swapped"] or None) for row in csv.DictReader(file, delimiter="\t")]


# Letters that fold to others are matched, too.
FOLDED = [("h\u0131s film", "her film"), ("İt is hİs film", "İt is her film"), ("hi\u017f film", "her film")]


@pytest.mark.parametrize(("text", "swapped"), [*read_sentences("known_pronouns.tsv"), *FOLDED])
def test_known_sentences_are_swapped_correctly(gender, text, swapped):
    assert Swapper(gender).swap(text, "id") == swapped


def test_most_held_out_sentences_are_swapped_correctly(gender):
    """The swapping rules were not written for these sentences."""
    sentences, swapper = read_sentences("held_out_pronouns.tsv"), Swapper(gender)
    wrong = [(text, found) for text, swapped in sentences if (found := swapper.swap(text, "row")) != swapped]
    assert len(sentences) >= 150
    assert 1 - len(wrong) / len(sentences) >= FLOOR, wrong


@pytest.mark.parametrize("text", ["she lost her book", "he hurt himself", "a mother of sons", "It is hers", "They saw Her", "Ladies first"])
def test_two_swaps_give_the_original_text(gender, text):
    swapper = Swapper(gender)
    assert swapper.swap(swapper.swap(text, "id"), "id") == text


def test_a_counterfactual_belongs_to_the_other_group(gender):
    lexicon, swapper = Lexicon(gender), Swapper(gender)
    neutral = {"actor", "actors"}
    for group, other in (("women", "men"), ("men", "women")):
        for word in gender.groups[group]:
            swapped = swapper.swap(f"{word}.", "id")
            assert lexicon.mentioned(swapped) == ([] if swapped.rstrip(".") in neutral else [other]), word


def test_articles_follow_the_word(lexicon):
    age = Swapper(lexicon("age"))
    assert age.swap("an elderly man and an old man", "id") == "a teenage man and a young man"
    assert age.swap("A young man, a teenager", "id") == "An old man, a retiree"


def test_the_row_decides_how_several_groups_are_exchanged(lexicon):
    attribute = lexicon("nationalities")
    swapper, texts = Swapper(attribute), {}
    for row in range(60):
        text = swapper.swap("a French film by two Germans", str(row))
        assert text == swapper.swap("a French film by two Germans", str(row))
        groups = Lexicon(attribute).mentioned(text)
        assert len(groups) == 2
        assert re.match(r"An? [A-Z]|an? [A-Z]", text)
        assert text.startswith("an ") == text.split()[1].startswith(("A", "E", "I")), text
        texts[text] = row
    assert len(texts) == 10
    assert not any("French" in text and "German" in text for text in texts)


def test_copies_name_their_parent_and_keep_its_label(gender):
    rows = [
        make_row("a" * 32, "She sang", label="positive", queries=("who sang?",)),
        make_row("b" * 32, "who sang", label="positive", parent="a" * 32, augmenter="delete"),
        make_row("c" * 32, "he sings", label="negative", parent="e" * 32, augmenter="swap"),
        make_row("d" * 32, "she is unlabelled"),
    ]
    found = make_counterfactuals(rows, {"gender": gender})
    assert found.without == {"gender": {"no_mention": 1, "no_counterpart": 0, "unchanged": 0}}
    by_parent = {copy.parent: copy for copy in found.copies}
    assert set(by_parent) == {"a" * 32, "c" * 32}
    for parent, text in (("a" * 32, "He sang"), ("c" * 32, "she sings")):
        copy, row = by_parent[parent], next(row for row in rows if row.id == parent)
        expected = dataclasses.replace(row, id=copy.id, text=text, parent=parent, augmenter="counterfactual_gender", queries=())
        assert copy == expected
        assert re.fullmatch(r"[0-9a-f]{32}", copy.id)
    assert make_counterfactuals(rows[::-1], {"gender": gender}) == found


def test_a_text_with_a_word_without_a_counterpart_has_no_copy(gender):
    attribute = gender.model_copy(update={"swaps": gender.swaps[:4]})
    found = make_counterfactuals([make_row("a", "she and her mother", label="good")], {"gender": attribute})
    assert found.copies == []
    assert found.without["gender"]["no_counterpart"] == 1


@pytest.mark.parametrize(
    ("groups", "text", "swapped"),
    [
        ({"a": ["old  man"], "b": ["kid"]}, "an old  man met a kid", "a kid met an old man"),
        ({"a": ["king "], "b": ["queen"]}, "the king , a queen", "the queen , a king"),
        ({"a": ["older\u00a0man"], "b": ["kid"]}, "an older\u00a0man; an older man", "a kid; a kid"),
        (
            {"a": ["istanbullu"], "b": ["ankaral\u0131"]},
            "İstanbullu adam, ANKARALI kad\u0131n",
            "Ankaral\u0131 adam, ISTANBULLU kad\u0131n",
        ),
        ({"a": ["c++"], "b": ["c#"]}, "c++ and C#", "c# and C++"),
    ],
)
def test_a_lexicon_may_have_white_space_and_letters_of_other_alphabets(groups, text, swapped):
    attribute = make_attribute(groups, swaps=[{group: words[0] for group, words in groups.items()}])
    assert Swapper(attribute).swap(text, "id") == swapped


@pytest.mark.parametrize("joint", ["/her", " and her"])
def test_a_long_row_of_pronouns_is_swapped(gender, joint):
    assert Swapper(gender).swap(f"his{joint * 1500} film", "id").startswith("her")


NEAR_WORDS = st.sampled_from([*"her his hİs h\u0131s hi\u017f HER him mrs an a let made gave own best \" “ ( ) — - 's".split(), "\n"])


@pytest.mark.slow
@given(st.lists(NEAR_WORDS | st.text(max_size=8), max_size=12), st.sampled_from([" ", "", "\u00a0"]))
def test_no_text_raises_an_error(gender, parts, space):
    swapper, text = Swapper(gender), space.join(parts)
    swapped = swapper.swap(text, "id")
    assert (swapped is not None) == swapper.mentions(text)


WORDS = st.text(min_size=1, max_size=6).filter(str.strip)


@given(WORDS, WORDS, st.lists(st.text(max_size=5), max_size=3))
def test_no_accepted_lexicon_raises_an_error(one, other, parts):
    try:
        attribute = make_attribute({"a": [one], "b": [other]}, swaps=[{"a": one, "b": other}])
    except ValidationError:
        assert " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
        return
    for text in (one, other.upper(), one.lower(), " ".join([*parts, one, other.title()])):
        swapped = Swapper(attribute).swap(text, "id")
        assert (swapped is not None) == Swapper(attribute).mentions(text)

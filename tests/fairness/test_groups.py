import pytest

from compactlm.fairness.groups import Lexicon, category_names
from compactlm.params import Attribute

GENDER = Attribute(groups={"women": ["she", "woman"], "men": ["he", "man", "best man"]}, privileged="men", unprivileged="women")


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("She sings.", "women_only"),
        ("A WOMAN's story", "women_only"),
        ("he's back", "men_only"),
        ("the best  man wins", "men_only"),
        ("(he) and she", "both"),
        ("The shed, the German, mankind and womanhood", "neither"),
        ("", "neither"),
    ],
)
def test_groups_are_found_by_whole_words(text, category):
    assert Lexicon(GENDER).category(text) == category


def test_words_are_no_patterns():
    attribute = Attribute(groups={"a": ["x.y", "(z)"], "b": ["b+"]}, privileged="a", unprivileged="b")
    lexicon = Lexicon(attribute)
    assert lexicon.mentioned("xzy") == []
    assert lexicon.mentioned("x.y or b+ or bb") == ["a", "b"]
    assert lexicon.category("the (z) here") == "a_only"


def test_more_than_two_groups():
    groups = {"christian": ["church"], "muslim": ["mosque"], "jewish": ["synagogue"]}
    attribute = Attribute(groups=groups, privileged="christian", unprivileged="muslim")
    assert category_names(attribute) == ["christian_only", "muslim_only", "jewish_only", "both", "neither"]
    assert Lexicon(attribute).categorise(["a mosque", "a church, a synagogue", "a house"]) == ["muslim_only", "both", "neither"]

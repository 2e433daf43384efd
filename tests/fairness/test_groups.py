import pytest

from compactlm.fairness.groups import Lexicon, categorise, category_names, cover
from tests.fixtures.builders import make_attribute, make_row

GENDER = make_attribute({"women": ["she", "woman"], "men": ["he", "man", "best man"]})


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


def test_words_are_not_patterns():
    lexicon = Lexicon(make_attribute({"a": ["x.y", "(z)"], "b": ["b+"]}))
    assert lexicon.mentioned("xzy") == []
    assert lexicon.mentioned("x.y or b+ or bb") == ["a", "b"]
    assert lexicon.category("the (z) here") == "a_only"


def test_an_attribute_may_have_more_than_two_groups():
    attribute = make_attribute({"christian": ["church"], "muslim": ["mosque"], "jewish": ["synagogue"]})
    assert category_names(attribute) == ["christian_only", "muslim_only", "jewish_only", "both", "neither"]
    found = [Lexicon(attribute).category(text) for text in ("a mosque", "a church, a synagogue", "a house")]
    assert found == ["muslim_only", "both", "neither"]


@pytest.mark.parametrize(
    ("value", "category"),
    [("n", "north_only"), ("n-e", "north_only"), ("S", "south_only"), (" s\u00a0", "south_only"), (None, "neither"), ("x", "neither")],
)
def test_a_column_and_not_the_text_gives_the_group(column, value, category):
    row = make_row("a", "she is from the south", attributes=(("region", value), ("other", "s")))
    without = make_row("a", "s")
    assert categorise([row, without], "region", column) == [category, "neither"]


@pytest.mark.parametrize("name", ["gender", "age", "nationality", "nationalities"])
def test_lexicons_of_the_configuration_have_a_counterpart_for_each_word(lexicon, name):
    attribute = lexicon(name)
    words = [word for group in attribute.groups.values() for word in group]
    assert len(words) == len(set(words))
    assert all(word == word.lower() for word in words)
    swapped = {(group, word) for swap in [*attribute.swaps, *attribute.swaps_before_noun] for group, word in swap.items()}
    missing = [word for group, own in attribute.groups.items() for word in own if (group, word) not in swapped]
    assert missing == [], "a word without a counterpart leaves its texts without a counterfactual"


def test_coverage_counts_words_and_shows_samples_of_each_category():
    texts = ["he came", "He left, the man", "she came", "it rained", f"{'long ' * 60}before the man came {'and ' * 60}"]
    rows = [make_row(str(at), text) for at, text in enumerate(texts)]
    found = cover(rows, categorise(rows, "gender", GENDER), GENDER, 2)
    assert found.rows == {"women_only": 1, "men_only": 3, "both": 0, "neither": 1}
    assert found.words == {"he": 2, "man": 2, "she": 1}
    assert found.samples["women_only"] == ["she came"]
    assert len(found.samples["men_only"]) == 2
    assert found == cover(rows[::-1], categorise(rows[::-1], "gender", GENDER), GENDER, 2)
    excerpt = Lexicon(GENDER).excerpt(texts[-1])
    assert " man " in excerpt
    assert excerpt.startswith("… ")
    assert excerpt.endswith(" …")
    assert len(excerpt) < 110

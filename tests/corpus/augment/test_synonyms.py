import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.corpus.augment.reserved import Reserved
from compactlm.corpus.augment.synonyms import SynonymAug

KNOWN = {"film": [("movie", 0.9), ("two", 0.8), ("picture", 0.6)], "good": [("fine", 0.7)], "not": [("hardly", 0.9)]}


def lookup(word):
    return KNOWN.get(word, [])


def test_replacements_keep_capitals_and_punctuation_and_other_words_stay():
    [new] = SynonymAug(lookup, 1.0).rewrite(["FILM, (Good) films not-good Film."], [3])
    words = new.split()
    assert words[0] in {"MOVIE,", "TWO,", "PICTURE,"}
    assert words[1:4] == ["(Fine)", "films", "not-good"]
    assert words[4] in {"Movie.", "Two.", "Picture."}


def test_reserved_words_are_neither_replaced_nor_put_in():
    reserved = Reserved(["negations", "numbers"])
    for seed in range(30):
        [new] = SynonymAug(lookup, 1.0, reserved).rewrite(["not a good film"], [seed])
        assert new.split()[0] == "not"
        assert not {"two", "hardly"} & set(new.split())


@given(st.lists(st.sampled_from(["film", "good", "not", "the", "X1"]), max_size=30), st.integers(0, 2**32))
def test_the_number_of_changes_is_the_share_where_enough_words_are_known(words, seed):
    [new] = SynonymAug(lookup, 0.2).rewrite([" ".join(words)], [seed])
    known = sum(word in KNOWN for word in words)
    assert sum(old != word for old, word in zip(words, new.split(), strict=True)) == min(known, max(1, round(0.2 * len(words))))


@pytest.mark.parametrize("text", ["", "  ", "unknown words only"])
def test_a_text_without_known_words_stays(text):
    assert SynonymAug(lookup, 0.5).rewrite([text], [1]) == [text]

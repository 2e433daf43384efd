import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nlpaug.augmenter.word import WordAugmenter

from compactlm.corpus.augment.contextual import MASK, MaskedWordAug
from compactlm.corpus.augment.reserved import Reserved
from tests.corpus.proposing import FixedProposer


def test_it_has_the_interface_of_an_nlpaug_augmenter():
    augmenter = MaskedWordAug("substitute", FixedProposer("warm"), 0.5)
    assert isinstance(augmenter, WordAugmenter)
    assert len(augmenter.augment(["a good film", "", "fine, truly", "12"])) == 4
    assert augmenter.augment(["a good film", ""])[1] == ""
    assert len(augmenter.augment("a good film", n=3)) == 3
    assert augmenter.augment("") == []
    assert augmenter.substitute("good") == "warm"
    assert MaskedWordAug("insert", FixedProposer("warm"), 0.5).insert("good film") == "good warm film"


def test_the_global_seed_decides_in_the_interface_of_nlpaug():
    augmenter = MaskedWordAug("substitute", FixedProposer("warm", "cold", "long"), 0.3)
    texts = ["one two three four five six seven"] * 4
    random.seed(1)
    first = augmenter.augment(texts)
    random.seed(1)
    assert augmenter.augment(texts) == first
    assert len(set(first)) > 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("good", "warm"),
        ("Good", "Warm"),
        ("GOOD", "WARM"),
        ("(Good),", "(Warm),"),
        ("''good''!", "''warm''!"),
        ("McDonald", "McDonald"),
        ("It's", "It's"),
        ("U.S.A.", "U.S.A."),
        ("3d", "3d"),
        ("--", "--"),
        ("a", "a"),
        ("warm", "warm"),
    ],
)
def test_a_replacement_keeps_case_and_punctuation(word, expected):
    assert MaskedWordAug("substitute", FixedProposer("warm"), 1.0).rewrite([word], [0]) == [expected]


def test_only_whole_words_of_letters_are_inserted():
    augmenter = MaskedWordAug("substitute", FixedProposer("##ing", "3d", "b", ",", "x-ray", "[UNK]", "Good"), 1.0)
    assert augmenter.rewrite(["good"], [0]) == ["good"]
    assert MaskedWordAug("substitute", FixedProposer(), 1.0).rewrite(["good film"], [0]) == ["good film"]


def test_an_insertion_repeats_no_neighbour_and_starts_no_sentence():
    augmenter = MaskedWordAug("insert", FixedProposer("good", "film"), 1.0)
    assert augmenter.rewrite(["good film"], [0]) == ["good film"]
    augmenter = MaskedWordAug("insert", FixedProposer("Very"), 1.0)
    assert augmenter.rewrite(["A film. Good.", "Yes!"], [0, 0]) == ["A very film. Good.", "Yes!"]


def test_an_insertion_does_not_split_a_name_or_a_term_of_several_words():
    reserved = Reserved(("names", "protected"), ["old man"])
    augmenter = MaskedWordAug("insert", FixedProposer("warm"), 1.0, reserved=reserved)
    assert augmenter.rewrite(["an old man left New York today"], [1]) == ["an warm old man warm left warm New York warm today"]


def test_a_text_may_contain_a_mask():
    proposer = FixedProposer("warm")
    rewritten = MaskedWordAug("insert", proposer, 0.1).rewrite(["the token [MASK] of bert"], [1])[0]
    assert proposer.calls[0][0].count(MASK) == 1
    assert rewritten.count(MASK) == 1
    assert "warm" in rewritten


def test_likelier_words_are_drawn_more_often():
    augmenter = MaskedWordAug("substitute", FixedProposer("warm", "cold", "dull", "long"), 1.0)
    drawn = augmenter.rewrite(["good"] * 400, list(range(400)))
    assert drawn.count("warm") > drawn.count("dull") > 0


class Opposites:
    """A thesaurus with the given synonyms, in which warm and cold are opposites."""

    def __init__(self, **known):
        self.known = known

    def synonyms(self, word):
        return self.known.get(word, ())

    def opposes(self, word, other):
        return {word, other} == {"warm", "cold"}


def test_an_antonym_never_replaces_a_word():
    for thesaurus, expected in ((Opposites(warm=("cold", "mild")), {"Dull", "Mild"}), (None, {"Cold", "Dull"})):
        augmenter = MaskedWordAug("substitute", FixedProposer("cold", "dull"), 1.0, thesaurus=thesaurus)
        assert set(augmenter.rewrite(["Warm"] * 50, range(50))) == expected
    # It may be inserted beside a word, because that replaces nothing.
    assert MaskedWordAug("insert", FixedProposer("cold"), 0.5, thesaurus=Opposites()).rewrite(["warm film"], [0]) == ["warm cold film"]


def test_synonyms_of_a_thesaurus_are_drawn_too():
    augmenter = MaskedWordAug("substitute", FixedProposer("warm"), 1.0, thesaurus=Opposites(good=("fine",)))
    drawn = augmenter.rewrite(["Good"] * 200, list(range(200)))
    assert 60 < drawn.count("Fine") < 140
    assert drawn.count("Fine") + drawn.count("Warm") == 200
    assert augmenter.rewrite(["bad"], [0]) == ["warm"]


@given(st.lists(st.text(alphabet="abcXY'.,!?[]-1 ", max_size=60), max_size=5), st.integers(0, 2**64))
def test_a_row_does_not_depend_on_its_batch(texts, seed):
    for action in ("substitute", "insert"):
        augmenter = MaskedWordAug(action, FixedProposer("warm", "cold", "a"), 0.4)
        seeds = [seed + position for position in range(len(texts))]
        alone = [augmenter.rewrite([text], [one])[0] for text, one in zip(texts, seeds, strict=True)]
        assert augmenter.rewrite(texts, seeds) == alone

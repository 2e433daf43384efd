import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nlpaug.augmenter.word import WordAugmenter

from compactlm.corpus import augment_wordnet
from compactlm.corpus.augment_masked import MASK, MaskedWordAug


class Fixed:
    """Proposes the given words for every mask."""

    def __init__(self, *words, masks=None):
        self.words, self.texts, self.masks = words, [], masks

    def propose(self, texts):
        self.texts += texts
        return [[[(word, 1 / (rank + 1)) for rank, word in enumerate(self.words)] for _ in range(text.count(MASK))] for text in texts]


def test_it_is_an_nlpaug_augmenter_with_its_interface():
    augmenter = MaskedWordAug("substitute", Fixed("warm"), 0.5)
    assert isinstance(augmenter, WordAugmenter)
    assert len(augmenter.augment(["a good film", "", "fine, truly", "12"])) == 4
    assert augmenter.augment(["a good film", ""])[1] == ""
    assert len(augmenter.augment("a good film", n=3)) == 3
    assert augmenter.augment("") == []
    assert augmenter.substitute("good") == "warm"
    assert MaskedWordAug("insert", Fixed("warm"), 0.5).insert("good film") == "good warm film"


def test_nlpaugs_global_seed_decides_in_its_interface():
    augmenter = MaskedWordAug("substitute", Fixed("warm", "cold", "long"), 0.3)
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
    assert MaskedWordAug("substitute", Fixed("warm"), 1.0).rewrite([word], [0]) == [expected]


def test_only_whole_words_of_letters_are_put_in():
    augmenter = MaskedWordAug("substitute", Fixed("##ing", "3d", "b", ",", "x-ray", "[UNK]", "Good"), 1.0)
    assert augmenter.rewrite(["good"], [0]) == ["good"]


def test_an_insertion_never_doubles_a_neighbour_or_opens_a_sentence():
    augmenter = MaskedWordAug("insert", Fixed("good", "film"), 1.0)
    assert augmenter.rewrite(["good film"], [0]) == ["good film"]
    augmenter = MaskedWordAug("insert", Fixed("Very"), 1.0)
    assert augmenter.rewrite(["A film. Good.", "Yes!"], [0, 0]) == ["A very film. Good.", "Yes!"]


def test_the_text_may_speak_of_masks():
    proposer = Fixed("warm")
    rewritten = MaskedWordAug("insert", proposer, 0.1).rewrite(["the token [MASK] of bert"], [1])[0]
    assert proposer.texts[0].count(MASK) == 1
    assert rewritten.count(MASK) == 1
    assert "warm" in rewritten


def test_a_mask_without_proposals_leaves_its_word():
    assert MaskedWordAug("substitute", Fixed(), 1.0).rewrite(["good film"], [0]) == ["good film"]


def test_likelier_words_are_drawn_more_often():
    augmenter = MaskedWordAug("substitute", Fixed("warm", "cold", "dull", "long"), 1.0)
    drawn = augmenter.rewrite(["good"] * 400, list(range(400)))
    assert drawn.count("warm") > drawn.count("dull") > 0


def test_a_thesaurus_adds_words_of_its_own():
    augmenter = MaskedWordAug("substitute", Fixed("warm"), 1.0, thesaurus=lambda word: ("fine",) if word == "good" else ())
    drawn = augmenter.rewrite(["Good"] * 200, list(range(200)))
    assert 60 < drawn.count("Fine") < 140
    assert drawn.count("Fine") + drawn.count("Warm") == 200
    assert augmenter.rewrite(["bad"], [0]) == ["warm"]


@given(st.lists(st.text(alphabet="abcXY'.,!?[]-1 ", max_size=60), max_size=5), st.integers(0, 2**64))
def test_a_row_does_not_depend_on_its_batch(texts, seed):
    for action in ("substitute", "insert"):
        augmenter = MaskedWordAug(action, Fixed("warm", "cold", "a"), 0.4)
        seeds = [seed + position for position in range(len(texts))]
        alone = [augmenter.rewrite([text], [one])[0] for text, one in zip(texts, seeds, strict=True)]
        assert augmenter.rewrite(texts, seeds) == alone


@pytest.mark.parametrize("missing", [LookupError("no corpus"), FileNotFoundError("lexnames")])
def test_wordnet_is_not_used_where_it_is_missing(monkeypatch, missing):
    class Absent:
        def ensure_loaded(self):
            raise missing

    monkeypatch.setattr(augment_wordnet, "wordnet", Absent())
    assert augment_wordnet.find_wordnet() is None


def test_wordnets_words_are_single_sorted_and_new(monkeypatch):
    class Sense:
        def __init__(self, *names):
            self.names = names

        def lemma_names(self):
            return list(self.names)

    class Present:
        def ensure_loaded(self):
            return None

        def synsets(self, word):
            return [Sense("Gripping", word), Sense("edge_of_the_seat", "gripping", "absorbing", "tip-top")]

    augment_wordnet.synonyms.cache_clear()
    monkeypatch.setattr(augment_wordnet, "wordnet", Present())
    thesaurus = augment_wordnet.find_wordnet()
    assert thesaurus("exciting") == ("absorbing", "gripping")
    augment_wordnet.synonyms.cache_clear()

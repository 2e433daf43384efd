import numpy as np
import pytest

from compactlm.bert.words_to_mask import MaskedWord
from compactlm.evaluation.words.ngrams import NeighbourCounts, split_words

TEXTS = [("the", "cat", "sat", "."), ("the", "dog", "sat", "."), ("a", "cat", "ran", "."), ("the", "cat", "sat", "on", "the", "mat")]


def test_probabilities_add_up_to_one_between_known_and_unknown_words():
    counts = NeighbourCounts(TEXTS)
    for left in range(len(counts.unigram)):
        for right in range(len(counts.unigram)):
            found = counts.distribution(left, right)
            assert (found > 0).all()
            assert found.sum() == pytest.approx(1)


def test_the_levels_agree_with_a_hand_calculation():
    counts = NeighbourCounts(TEXTS)
    the, cat, sat = (counts.ids[word] for word in ("the", "cat", "sat"))
    words, kinds = 18, 9
    assert counts.unigram[cat] == pytest.approx((3 + 1) / (words + kinds + 1))
    assert counts.unigram.sum() == pytest.approx(1)
    # After "the": cat twice, dog, mat. Before "sat": cat twice, dog. Between both: cat twice, dog.
    after = (2 + 3 * counts.unigram[cat]) / (4 + 3)
    before = (2 + 2 * counts.unigram[cat]) / (3 + 2)
    known = {"cat": (2, 2), "dog": (1, 1), "mat": (1, 0)}
    sides = {
        place: (known.get(word, (0, 0))[0] + 3 * counts.unigram[place]) / 7 * (known.get(word, (0, 0))[1] + 2 * counts.unigram[place]) / 5
        for word, place in [*counts.ids.items(), ("", 0)]
    }
    total = sum(value / counts.unigram[place] for place, value in sides.items())
    expected = (2 + 2 * (after * before / counts.unigram[cat] / total)) / (3 + 2)
    assert counts.distribution(the, sat)[cat] == pytest.approx(expected)


def test_the_first_choice_follows_both_neighbours_and_the_baseline_neither():
    counts = NeighbourCounts(TEXTS)
    items = [MaskedWord(("the", "cat", "sat"), 1), MaskedWord(("a", "cat", "ran"), 1), MaskedWord(("the", "the", "."), 1)]
    assert counts.by_neighbours(items).right.tolist() == [1.0, 1.0, 0.0]
    assert counts.by_frequency(items).right.tolist() == [0.0, 0.0, 1.0]
    unknown = [MaskedWord(("zzz",), 0)]
    assert counts.by_neighbours(unknown).right.tolist() == [0.0]
    assert counts.by_frequency(unknown).surprise[0] == pytest.approx(-np.log(1 / 28))


def test_the_order_of_texts_does_not_matter():
    items = [MaskedWord(text, at) for text in TEXTS for at in range(len(text))]
    one, other = NeighbourCounts(TEXTS).by_neighbours(items), NeighbourCounts(TEXTS[::-1]).by_neighbours(items)
    assert one.right.tolist() == other.right.tolist()
    assert one.surprise.tolist() == other.surprise.tolist()


def test_words_are_split_as_the_masked_words_are(tiny_tokenizer):
    assert list(split_words(tiny_tokenizer, ["The film's GOOD."])) == [("the", "film", "'", "s", "good", ".")]

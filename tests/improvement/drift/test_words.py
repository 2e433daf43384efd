import pytest

from compactlm.improvement.drift.words import telling_words


def test_clearly_more_frequent_words_come_before_clearly_rarer_ones():
    found = telling_words({"film": 200, "the": 300, "plot": 40}, 400, {"phone": 60, "the": 150, "film": 2, "battery": 90}, 200)
    assert [(word.word, word.score > 0) for word in found] == [("battery", True), ("phone", True), ("film", False), ("plot", False)]
    assert (found[0].reference, found[0].new) == (0, 0.45)


def test_a_missing_word_counts_for_as_many_rows_as_it_may_have_had():
    assert [one.word for one in telling_words({}, 400, {"phone": 6}, 200, missing=0)] == ["phone"]
    assert telling_words({}, 400, {"phone": 6}, 200, missing=2) == []


def test_the_score_is_the_difference_in_standard_errors():
    [found] = telling_words({"film": 90}, 200, {"film": 10}, 100)
    assert found.score == pytest.approx(-(0.45 - 0.1) / (1 / 3 * 2 / 3 * (1 / 200 + 1 / 100)) ** 0.5)


def test_few_words_are_shown():
    new = {f"w{number}": 50 for number in range(40)}
    assert [one.word for one in telling_words({}, 100, new, 100, most=3)] == ["w0", "w1", "w10"]

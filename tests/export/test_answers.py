import pytest

from compactlm.corpus.queries import Passage
from compactlm.export.answers import choose_thresholds, least_score
from compactlm.inference.search.thresholds import DEFAULT

PASSAGES = [
    Passage("1", "boolq", "The old dog played by the river.", ("who played by the river?",)),
    Passage("2", "boolq", "People loved the music of the film.", ("who loved the music?", "was the music good?")),
]
PAIRS = [("who is the actor?", "whos the actor"), ("was the film good?", "good film?")]


def test_the_threshold_is_the_lowest_that_keeps_the_share_of_wrong_answers():
    answers = [(0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.5, False), (0.4, False)]
    assert least_score(answers, 0) == 0.8
    assert least_score(answers, 0.25) == 0.6
    assert least_score(answers, 0.5) == 0.4
    assert least_score([(0.9, False), (0.8, True)], 0.1) == 1
    # Answers with one score are given or refused together.
    assert least_score([(0.9, True), (0.8, True), (0.8, False)], 0) == 0.9


def test_questions_without_an_answer_in_the_file_count_as_wrong(lm):
    strict = choose_thresholds(lm.embedding, PAIRS, PASSAGES, 0.0, 10, 17)
    loose = choose_thresholds(lm.embedding, PAIRS, PASSAGES, 1.0, 10, 17)
    assert loose.pair < strict.pair <= 1
    assert loose.passage < strict.passage <= 1
    assert strict == choose_thresholds(lm.embedding, PAIRS, PASSAGES, 0.0, 10, 17)
    assert (strict.wrong_answers, loose.wrong_answers) == (0.0, 1.0)


def test_without_passages_the_default_is_kept(lm):
    assert choose_thresholds(lm.embedding, PAIRS, [], 0.1, 10, 17).passage == DEFAULT.passage == pytest.approx(0.3)

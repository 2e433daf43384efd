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
    answers = [(0.95, True), (0.85, True), (0.75, False), (0.65, True), (0.55, False), (0.45, False)]
    assert least_score(answers, 0) == pytest.approx(0.75, abs=2e-4)
    assert least_score(answers, 0) > 0.75
    assert 0.55 < least_score(answers, 1 / 6) < 0.56
    assert 0.45 < least_score(answers, 2 / 6) < 0.46
    assert least_score(answers, 0.5) == pytest.approx(0.45, abs=2e-4)
    assert least_score(answers, 0.5) <= 0.45
    assert least_score([(1.0, False)], 0) == 1
    # Answers with one score are given or refused together.
    assert least_score([(0.95, True), (0.85, False), (0.85, False)], 0.4) > 0.85


def test_questions_without_an_answer_in_the_file_count_as_wrong(lm):
    strict = choose_thresholds(lm.embedding, PAIRS, PASSAGES, 0.0, 10, 17)
    loose = choose_thresholds(lm.embedding, PAIRS, PASSAGES, 1.0, 10, 17)
    assert loose.pair < strict.pair <= 1
    assert loose.passage < strict.passage <= 1
    assert strict == choose_thresholds(lm.embedding, PAIRS, PASSAGES, 0.0, 10, 17)
    assert (strict.wrong_answers, loose.wrong_answers) == (0.0, 1.0)


def test_without_passages_the_default_is_kept(lm):
    assert choose_thresholds(lm.embedding, PAIRS, [], 0.1, 10, 17).passage == DEFAULT.passage == pytest.approx(0.3)

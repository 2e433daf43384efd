import pytest

from benchmarks.bench_answers import found_by_answer, found_by_embedding, shares_by_kind
from compactlm.evaluation.embeddings.tfidf import fit_tfidf
from compactlm.params.suites import read_questions

QUESTIONS = ["was the film good?", "who hated the ending?", "a dog by the river"]


def test_questions_find_their_own_rows(lm, tmp_path, monkeypatch):
    monkeypatch.setenv("COMPACTLM_CACHE", str(tmp_path))
    rows = [{"question": text, "answer": "yes"} for text in QUESTIONS]
    assert found_by_answer(lm, rows, [(QUESTIONS[2], 2), (QUESTIONS[0], 1)]) == [(True, True), (False, False)]
    assert found_by_embedding(fit_tfidf(QUESTIONS), QUESTIONS, [("the river", 2), ("the film", 1)]) == [True, False]


def test_shares_are_those_of_each_kind():
    assert shares_by_kind([True, False, True], ["a", "a", "b"]) == pytest.approx({"all": 0.6667, "a": 0.5, "b": 1.0})


def test_each_question_is_listed_once():
    read = read_questions()
    pairs = [pair for part in (read.validation, read.test) for kind in part.values() for pair in kind]
    assert len({question for question, _ in pairs}) == len({asked for _, asked in pairs}) == len(pairs) == 200
    assert set(read.validation) == set(read.test) == {"paraphrase", "slang", "typing"}

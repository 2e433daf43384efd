import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks.spans.squad import best_constant, constant_answers, exact_match, f1, normalise, scores


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Quick, brown fox!", "quick brown fox"),
        ("an apple a day", "apple day"),
        ("theatre", "theatre"),
        ("U.S.A.", "usa"),
        ("a", ""),
        ("...", ""),
        (None, ""),
        ("Bern\u00a0(Switzerland)", "bern switzerland"),
        ("שלום!", "שלום"),
    ],
)
def test_answers_are_normalised_by_squads_rules(text, expected):
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("expected", "answered", "match", "overlap"),
    [
        ("in 1912", "1912", 0, 2 / 3),
        ("the cat", "Cat.", 1, 1),
        ("cat cat", "cat", 0, 2 / 3),  # words count as often as they occur
        ("cat", "dog", 0, 0),
        (None, None, 1, 1),
        (None, "cat", 0, 0),
        ("cat", None, 0, 0),
        ("the", None, 1, 1),  # nothing is left of either
    ],
)
def test_the_scores_of_an_answer(expected, answered, match, overlap):
    assert exact_match(expected, answered) == match
    assert f1(expected, answered) == pytest.approx(overlap)
    assert scores([expected], [answered]).tolist() == [[pytest.approx(overlap), match]]


ANSWERS = st.one_of(st.none(), st.text("ab .the", max_size=12))


@given(ANSWERS, ANSWERS)
def test_f1_is_symmetric_and_1_for_a_match(one, other):
    assert f1(one, other) == f1(other, one)
    assert f1(one, other) >= exact_match(one, other)


def test_the_best_constant_answer():
    passages = ["one two three four", "five six seven eight"]
    assert best_constant(passages, [None, None], "f1") == "none"
    assert best_constant(passages, ["one", "five"], "exact_match") == "first 1"
    assert best_constant(passages, ["one two three", "five six seven eight"], "f1") == "passage"
    assert constant_answers(passages[0])["first 2"] == "one two"

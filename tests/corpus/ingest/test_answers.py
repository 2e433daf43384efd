from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.artifacts import NO_ANSWER
from compactlm.corpus.ingest.answers import AnswerNotFoundError, find_answer, read_answer
from compactlm.errors import CompactLMError
from compactlm.params import AnswerText

TEXT = "In 1912, Kim (of Rome) came. Kim saw 10 - 15 % of it."


def read(cells: dict[str | int, object], start: str | None = None, **rule: Any) -> tuple[str | None, int]:
    return read_answer(cells, AnswerText(column="a", **rule), start, TEXT, "p")


@pytest.mark.parametrize("cell", [None, "", "  ", [], [""], float("nan"), "unknown", "CANNOT ANSWER CANNOT ANSWER"])
def test_a_question_without_an_answer(cell: object) -> None:
    assert read({"a": cell}, none=["unknown", "CANNOT"]) == (None, NO_ANSWER)
    assert read({"a": cell, "s": None}, "s", none=["unknown", "CANNOT"]) == (None, NO_ANSWER)


@pytest.mark.parametrize(
    ("cells", "answer", "start"),
    [
        ({"a": "Kim", "s": 29}, "Kim", 29),
        ({"a": ["Kim", "1912"], "s": [9, 3]}, "Kim", 9),
        ({"a": " Kim ", "s": "28"}, "Kim", 29),
        ({"a": "1912", "s": 3.0}, "1912", 3),
    ],
)
def test_an_answer_stands_at_its_offset(cells: dict[str | int, object], answer: str, start: int) -> None:
    assert read(cells, "s") == (answer, start)


@pytest.mark.parametrize(
    ("match", "cell", "answer"),
    [
        ("exact", "Kim", "Kim"),
        ("loose", "10-15%", "10 - 15"),
        ("loose", "of rome", "of Rome"),
        ("beginning", "Kim saw 10 - 15 %, Kim saw", "Kim saw 10 - 15"),
        ("beginning", "In 1912, the war", "In 1912"),
    ],
)
def test_an_answer_is_searched_in_the_text(match: str, cell: str, answer: str) -> None:
    found, start = read({"a": cell}, match=match)
    assert (found, start) == (answer, TEXT.index(answer))


@pytest.mark.parametrize(
    ("match", "answer", "text", "found"),
    [
        ("exact", "art", "the artist likes art", ("art", 17)),
        ("exact", "art", "the artist", ("art", 4)),  # nowhere else
        ("exact", "京都", "東京都は京都府", ("京都", 1)),
        ("beginning", "played at the Bowl, a song", "he played at the Bowl, attended by all", ("played at the Bowl", 3)),
        ("beginning", "on the plain. The end", "rocks on the plain. They end", ("on the plain.", 6)),
        ("beginning", "in a", "inside in a box", ("in a", 7)),
    ],
)
def test_an_answer_is_searched_as_whole_words(match: str, answer: str, text: str, found: tuple[str, int]) -> None:
    assert find_answer(answer, text, AnswerText(column="a", match=match)) == found


@pytest.mark.parametrize(
    ("match", "cell", "least"),
    [
        ("exact", "kim", 1),
        ("loose", "Kims", 1),
        ("loose", "om", 1),
        ("loose", "...", 1),
        ("beginning", "Kim went", 2),
        ("beginning", "He", 1),
    ],
)
def test_an_answer_that_does_not_stand_in_the_text(match: str, cell: str, least: int) -> None:
    with pytest.raises(CompactLMError, match=r"p: the answer '.*' does not stand in the text; .* columns\.answer\.not_found to skip"):
        read({"a": cell}, match=match, minimum_words=least)
    with pytest.raises(AnswerNotFoundError):
        read({"a": cell}, match=match, minimum_words=least, not_found="skip")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({}, r"p: the column 'a' of columns\.answer does not exist"),
        ({"a": 5}, r"p: the column 'a' of columns\.answer holds 5, which is not text"),
        ({"a": "Kim", "s": 8}, r"p: the answer 'Kim' does not stand at character 8 of the text, where ' Ki' is; correct answer_start"),
        ({"a": "Kim", "s": 900}, r"where '' is"),
        ({"a": "Kim", "s": -3}, r"p: answer_start is -3, which is not a number of characters"),
        ({"a": "Kim", "s": "x"}, r"p: answer_start is 'x'"),
        ({"a": "Kim", "s": None}, r"p: answer_start is None"),
        ({"a": "Kim"}, r"p: the column 's' of columns\.answer_start does not exist"),
    ],
)
def test_wrong_answers_are_refused(cells: dict[str | int, object], message: str) -> None:
    with pytest.raises(CompactLMError, match=message):
        read(cells, "s")


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["exact", "loose", "beginning"]), st.data())
def test_a_found_answer_stands_where_it_is_said_to(before: str, after: str, match: str, data: st.DataObject) -> None:
    inside = data.draw(st.text(min_size=1, max_size=12))
    text = before + inside + after
    found = find_answer(data.draw(st.sampled_from([inside, after, before + "x", "x"])).strip(), text, AnswerText(column="a", match=match))
    if found is not None and found[0]:
        assert text[found[1] : found[1] + len(found[0])] == found[0]

import dataclasses
from typing import Any

import pytest

from compactlm.artifacts import NO_ANSWER, Document
from compactlm.corpus.augment.copies import LABEL_LOST, REASONS, WordSource, augment, make_rewriters, summarise
from compactlm.corpus.augment.sides import Sides, changed_texts, is_labelled, texts_of
from compactlm.params import Augment, Task
from tests.corpus.proposing import FixedProposer
from tests.fixtures.builders import make_row

PASSAGE = "Kim went to Rome in the warm year of 1912 and stayed there with many old friends until the end of that war."
TASKS = {
    "pairs": Task(sources=["s"], labels=["no", "yes"], pair=True),
    "names": Task(kind="tagging", sources=["s"], labels=["per", "loc"]),
    "answers": Task(kind="span", sources=["s"]),
    "ratings": Task(kind="regression", sources=["s"]),
    "topics": Task(kind="multilabel", sources=["s"], labels=["war", "love"]),
}
SHARES = {"synonym": 0.2, "insert": 0.2, "swap": 0.1, "delete": 0.2, "spelling": 0.1, "keyboard": 0.1, "tfidf": 0.1}


def row(number: int, text: str = PASSAGE, task: str = "ratings", **columns: Any) -> Document:
    return dataclasses.replace(make_row(number, text, label=None), task=task, **columns)


def tagged(number: int, text: str, tags: str) -> Document:
    return row(number, text, "names", words=tuple(text.split()), tags=tuple(tags.split()))


WORDS = "Kim Lee went to the warm New York with many old friends from Rome".split()
TAGS = "B-per I-per O O O O B-loc I-loc O O O O O B-loc".split()
ROWS = [
    row(1, "who went to Rome in that old year with many friends?", "pairs", label="yes", pair=PASSAGE),
    row(2, PASSAGE, "answers", pair="where did Kim go in that old year with many friends?", answer="Rome", answer_start=12),
    row(3, PASSAGE, "answers", pair="why did all of the others never leave this place?", answer_start=NO_ANSWER),
    tagged(4, " ".join(WORDS), " ".join(TAGS)),
    row(5, score=1.5),
    row(6, task="topics", labels=("war",)),
    row(7, task="topics", labels=()),
]


def copies_of(rows: list[Document], copies: int = 12, shares: dict[str, float] | None = None) -> Any:
    settings = Augment(copies=copies, synonyms="masked_words", shares=shares or SHARES, share_of_words=0.2, reserved=[], labels="report")
    rewriters = make_rewriters(settings, list(texts_of(rows)), WordSource(proposer=FixedProposer("film", "quite", "cold", "very")), [])
    return augment(rows, settings, 7, rewriters, TASKS), rewriters


def test_every_kind_gets_copies_whose_targets_still_fit() -> None:
    result, rewriters = copies_of(ROWS)
    parents = {one.id: one for one in ROWS}
    made: dict[str, int] = {}
    for copy in result.copies:
        parent = parents[str(copy.parent)]
        made[parent.id] = made.get(parent.id, 0) + 1
        assert copy.task == parent.task
        assert (copy.label, copy.labels, copy.score, copy.answer, copy.answer_start) == (
            parent.label,
            parent.labels,
            parent.score,
            parent.answer,
            parent.answer_start,
        )
        assert (copy.text == parent.text) == (copy.pair != parent.pair), "one side changes"
        if parent.task == "answers":
            assert copy.text == parent.text, "only the question changes"
        if copy.words is not None:
            assert copy.text.split() == list(copy.words)
            assert len(copy.words) == len(copy.tags or ())
            assert copy.augmenter != "swap"
            kinds = [tag for tag in copy.tags or () if tag.startswith("B-")]
            assert kinds == ["B-per", "B-loc", "B-loc"]
    assert set(made) == set(parents)
    summary: Any = summarise(ROWS, result, rewriters)
    assert summary["rows"] == len(ROWS)
    assert all(0 < share["value"] <= 1 for share in summary["changed_words"].values())
    assert result.dropped[LABEL_LOST] > 0
    assert set(result.dropped) == {*REASONS, LABEL_LOST}


def test_both_sides_of_pairs_change_but_never_at_once() -> None:
    result, _ = copies_of(ROWS[:1], copies=30)
    sides = {(copy.text != ROWS[0].text, copy.pair != ROWS[0].pair) for copy in result.copies}
    assert sides == {(True, False), (False, True)}
    assert LABEL_LOST not in result.dropped


def test_rows_with_tags_have_no_copies_by_swapping_alone() -> None:
    result, _ = copies_of(ROWS[3:5], copies=2, shares={"swap": 1.0})
    assert {copy.parent for copy in result.copies} == {ROWS[4].id}
    assert result.requested == 2


def test_copies_do_not_depend_on_other_rows() -> None:
    together = {copy for copy in copies_of(ROWS, shares={"swap": 0.5, "delete": 0.5})[0].copies if copy.parent == ROWS[0].id}
    assert together == set(copies_of(ROWS[:1], shares={"swap": 0.5, "delete": 0.5})[0].copies)


@pytest.mark.parametrize("one", ROWS, ids=lambda one: str(one.task))
def test_a_row_is_labelled_if_it_teaches_something(one: Document) -> None:
    assert is_labelled(one)
    assert not is_labelled(make_row(9, PASSAGE, label=None))


def test_a_row_of_an_unknown_task_is_a_plain_text() -> None:
    sides = Sides({}, 1)
    assert sides.text(ROWS[0], 0) == ROWS[0].text
    changed = sides.changed(ROWS[0], 0, "other")
    assert changed is not None
    assert changed_texts(ROWS[0], changed) == (ROWS[0].text, "other")

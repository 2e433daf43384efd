import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.artifacts import NO_ANSWER, Document
from compactlm.corpus.clean.clean_shard import CleanShard
from compactlm.corpus.clean.cleaning import clean_metrics, filters_of
from compactlm.corpus.clean.filters.base import Chain, Dropped
from compactlm.corpus.clean.filters.composing import filters_from
from compactlm.corpus.clean.targets import LOST_ANSWER, LOST_TAG, TextCleaner, Texts
from compactlm.params import Clean
from compactlm.params.filters import Length
from tests.corpus.cleaned import SETTINGS, cleaned
from tests.fixtures.builders import scattered_row

FILTERS = filters_of(Clean(**SETTINGS))
CLEAN = TextCleaner(Chain(filters_from(FILTERS)), Chain(filters_from([one for one in FILTERS if not isinstance(one, Length)])))
MARKUP = ["&amp;", "<b>", "</b>", "\u200b", "\ufb01ne", "``", "  ", "\x07", "caf\u00e9"]
DIRTY = [*MARKUP, "http://a.example/x", "me@b.example", "212-736-5000", "a", "B-c"]
PIECES = st.lists(st.sampled_from([*DIRTY, "Kim", "Rome", ".", "in", "1912"]) | st.text(max_size=4), max_size=8)


def tagged(words: str, tags: str) -> Texts:
    return Texts(words, words=words.split(" "), tags=tags.split(" "))


@pytest.mark.parametrize(
    ("words", "tags", "clean", "carried"),
    [
        ("Kim came &amp; went", "B-x O O O", "Kim came & went", "B-x O O O"),
        ("see http://a.example now", "O O O", "see now", "O O"),
        ("\u200b Kim\u200b Lee", "O B-x I-x", "Kim Lee", "B-x I-x"),
        ("call 212-736-5000 Kim", "O O B-x", "call [PHONE] Kim", "O O B-x"),
        ("call (212) 736-5000 , Kim", "O O O O B-x", "call [PHONE] , Kim", "O O O B-x"),
        ("http://a.example Lee came", "B-x I-x O", "Lee came", "B-x O"),
        ("<b>Kim</b>&nbsp;Lee came", "B-x O", "Kim Lee came", "B-x I-x O"),
    ],
)
def test_tags_stay_at_their_words(words: str, tags: str, clean: str, carried: str) -> None:
    assert CLEAN(tagged(words, tags)) == Texts(clean, None, clean.split(), carried.split())


@pytest.mark.parametrize(
    ("words", "tags", "reason"),
    [
        ("see http://a.example now", "O B-x O", LOST_TAG),
        ("call (212) 736-5000 Kim", "O O B-x O", LOST_TAG),
        ("a", "O", "too_short"),
        ("\u200b \u200b", "O O", "empty"),
    ],
)
def test_rows_whose_tags_would_be_lost_are_dropped(words: str, tags: str, reason: str) -> None:
    assert CLEAN(tagged(words, tags)) == Dropped(reason)


@given(PIECES, st.data())
def test_an_entity_has_the_clean_words_of_its_words(pieces: list[str], data: st.DataObject) -> None:
    words = [word for piece in pieces for word in piece.split()]
    tags = data.draw(st.lists(st.sampled_from(["O", "B-x", "I-x", "B-y"]), min_size=len(words), max_size=len(words)))
    found = CLEAN(Texts(" ".join(words), words=words, tags=tags))
    if isinstance(found, Dropped):
        return
    assert found.words is not None
    assert found.tags is not None
    assert found.text.split() == found.words
    assert len(found.words) == len(found.tags)
    kinds = [tag[2:] for tag in tags if tag.startswith(("B", "I"))]
    assert {tag[2:] for tag in found.tags if tag != "O"} == set(kinds)
    # Words that cleaning does not touch keep their tags in order.
    plain = [word for word in words if CLEAN.unbounded(word) == word]
    if plain == words and found.words == words:
        assert found.tags == tags
    again = CLEAN(found)
    assert again == found, "cleaning clean rows changes nothing"


@pytest.mark.parametrize(
    ("before", "answer", "after", "text", "clean"),
    [
        ("In ", "1912", " came", "In 1912 came", "1912"),
        ("<b>In</b>  ", "caf&eacute;", " now", "In café now", "café"),
        ("Kim, Kim and ", "Kim", " came", "Kim, Kim and Kim came", "Kim"),
        ("see http://a.example ", "Kim", " Kim", "see Kim Kim", "Kim"),
        ("write to ", "me@b.example", " soon", "write to [EMAIL] soon", "[EMAIL]"),
        ("<i>Rome and ", "Rome</i>", " now", "Rome and Rome now", "Rome"),
    ],
)
def test_an_answer_stays_in_its_place(before: str, answer: str, after: str, text: str, clean: str) -> None:
    found = CLEAN(Texts(before + answer + after, "Who?", answer=answer, answer_start=len(before)))
    assert isinstance(found, Texts)
    assert (found.text, found.pair, found.answer) == (text, "Who?", clean)
    start = len(text) - len(after) - len(clean)
    assert found.answer_start == start


def test_a_row_whose_answer_is_lost_is_dropped_and_one_without_an_answer_stays() -> None:
    text = "see http://a.example/Kim now"
    assert CLEAN(Texts(text, "Who?", answer="http://a.example/Kim", answer_start=4)) == Dropped(LOST_ANSWER)
    assert CLEAN(Texts(text, "Who?", answer=None, answer_start=NO_ANSWER)) == Texts("see now", "Who?", answer_start=NO_ANSWER)
    assert CLEAN(Texts(text, "Who?")) == Texts("see now", "Who?")


@given(PIECES, PIECES.filter(lambda pieces: bool("".join(pieces).strip())), PIECES)
def test_a_clean_answer_stands_where_it_is_said_to(before: list[str], answer: list[str], after: list[str]) -> None:
    start, inside, end = (" ".join(pieces) for pieces in (before, answer, after))
    found = CLEAN(Texts(start + inside + end, "Who came?", answer=inside, answer_start=len(start)))
    if isinstance(found, Texts):
        assert found.answer
        assert found.answer_start is not None
        assert found.text[found.answer_start :].startswith(found.answer)
        assert found.answer == CLEAN.unbounded(inside)


@pytest.mark.parametrize(
    ("text", "pair", "result"),
    [
        ("a <b>long</b> text", "q?", Texts("a long text", "q?")),
        ("q?", "a <b>long</b> text", Texts("q?", "a long text")),
        ("q?", "", Dropped("empty")),
        ("<b></b>", "a long text", Dropped("empty")),
        ("a", "b", Dropped("too_short")),
        ("q?", "x" * 101, Dropped("too_long")),
    ],
)
def test_the_length_of_a_pair_is_that_of_its_longer_text(text: str, pair: str, result: Texts | Dropped) -> None:
    assert CLEAN(Texts(text, pair)) == result


def rows_of_each_kind() -> list[Document]:
    def row(at: int, text: str, task: str, **changes: Any) -> Document:
        return dataclasses.replace(scattered_row(at, text), task=task, **changes)

    plain = [scattered_row(at, f"text number {at}") for at in range(3)]
    pairs = [row(10 + at, f"passage <b>{at}</b>", "p", pair=f"question {at}?") for at in range(3)]
    spans = [row(20 + at, f"<i>A passage {at}", "s", pair="which?", answer="passage", answer_start=5) for at in range(3)]
    lost = row(40, "see http://a.example", "s", pair="where?", answer="http://a.example", answer_start=4)
    tags = [row(30 + at, f"Kim {at} &amp;", "t", words=("Kim", str(at), "&amp;"), tags=("B-x", "O", "O")) for at in range(3)]
    return [*plain, *pairs, *spans, lost, *tags]


def test_a_corpus_of_all_kinds_is_cleaned_and_every_row_is_counted(tmp_path: Path) -> None:
    rows = rows_of_each_kind()
    found, result = cleaned(tmp_path, rows)
    metrics: Any = clean_metrics(result)
    assert metrics["total"]["dropped"][LOST_ANSWER] == 1
    assert len(found) == len(rows) - 1
    for row in found:
        if row.words is not None:
            assert (row.words, row.tags, row.text) == (("Kim", row.words[1], "&"), ("B-x", "O", "O"), " ".join(row.words))
        if row.answer is not None:
            assert row.text[row.answer_start :].startswith(row.answer)
        if row.pair is not None and row.task == "p":
            assert "<b>" not in row.text
    alone, _ = cleaned(tmp_path / "plain", [row for row in rows if row.task is None])
    assert alone == [row for row in found if row.task is None], "rows of other kinds change no plain row"


def test_pairs_that_share_a_text_are_no_duplicates(tmp_path: Path) -> None:
    near = {"threshold": 0.8, "permutations": 128, "unit": "words", "size": 2}
    passage = "one two three four five six seven eight nine ten"
    pairs = [
        ("who came?", passage),
        ("why?", passage),
        ("Who came?", passage.upper()),
        ("who came", passage + " !"),
        (passage, "who came?"),
    ]
    rows = [dataclasses.replace(scattered_row(at, text), pair=pair) for at, (text, pair) in enumerate(pairs)]
    found, _ = cleaned(tmp_path / "a", rows)
    assert len(found) == 4, "equal but for case"
    found, _ = cleaned(tmp_path / "b", rows, near_duplicates=near)
    assert len(found) == 3, "the shorter text has the same letters, and the longer is alike"


def test_targets_that_contradict_are_dropped_and_scores_never_do(tmp_path: Path) -> None:
    def row(at: int, text: str, **target: Any) -> Document:
        return dataclasses.replace(scattered_row(at, text), task="t", **target)

    rows = [
        row(1, "same labels", labels=("a", "b")),
        row(2, "same labels", labels=("a", "b")),
        row(3, "other labels", labels=("a",)),
        row(4, "other labels", labels=()),
        row(5, "near scores", score=1.0),
        row(6, "near scores", score=1.5),
        row(7, "Kim came", words=("Kim", "came"), tags=("B-x", "O")),
        row(8, "Kim came", words=("Kim", "came"), tags=("O", "O")),
        row(9, "a passage", pair="why?", answer="a", answer_start=0),
        row(10, "a passage", pair="why?", answer=None, answer_start=NO_ANSWER),
    ]
    found, result = cleaned(tmp_path, rows)
    assert sorted(one.text for one in found) == ["near scores", "same labels"]
    assert result.dropped["s"]["contradictory_label"] == 6


def test_the_step_says_what_it_depends_on() -> None:
    assert CleanShard(tuple(FILTERS), 1, 2).parameters() != CleanShard(tuple(FILTERS), 2, 2).parameters()

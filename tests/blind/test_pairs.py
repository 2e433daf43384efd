import dataclasses
import json

import pytest

from compactlm.blind.pairs import Key, draw_comparison
from compactlm.errors import CompactLMError
from tests.blind.conftest import LABELS
from tests.fixtures.compared import make_answers, with_right


def test_pairs_are_distinct_rows_on_which_the_models_differ(answers, compare):
    own = answers["sentiment"]
    differ = {own.ids[at] for at in range(len(own.ids)) if own.predicted("teacher")[at] != own.predicted("student")[at]}
    rows = [place.row for place in compare(repeats=0).key.pairs]
    assert len(set(rows)) == len(rows) == 30
    assert set(rows) < differ
    assert {place.row for place in compare(1000).key.pairs} == differ


def test_each_side_shows_the_answer_of_its_model(answers, compare):
    own, found = answers["sentiment"], compare()
    for shown, place in zip(found.shown, found.key.pairs, strict=True):
        at = own.ids.index(place.row)
        assert shown["text"] == own.texts[at]
        for side in ("left", "right"):
            assert shown[side]["label"] == LABELS["sentiment"][own.predicted(place.whose(side))[at]]
            assert shown[side]["percent"] == 90


def test_both_models_are_on_both_sides_and_the_seed_decides(compare):
    left = [place.left for place in compare(90, 0).key.pairs]
    assert 30 < left.count("teacher") < 60
    assert compare() == compare()
    assert compare().key.pairs != compare(seed=18).key.pairs


def test_repeats_have_exchanged_sides_and_come_much_later(compare):
    found = compare()
    repeats = [(at, place) for at, place in enumerate(found.key.pairs) if place.repeats is not None]
    assert len(repeats) == 6
    assert len({place.repeats for _, place in repeats}) == 6
    for at, place in repeats:
        first = found.key.pairs[place.repeats]
        assert (first.row, first.repeats) == (place.row, None)
        assert first.left != place.left
        assert found.shown[at]["left"] == found.shown[place.repeats]["right"]
        assert at - place.repeats >= 10
    assert sum(place.repeats is not None for place in compare(9, 50).key.pairs) == 3


def test_judges_do_not_see_whose_answer_it_is(compare):
    found = compare()
    assert all(set(shown) == {"task", "text", "left", "right"} for shown in found.shown)
    assert "teacher" not in json.dumps(found.shown)
    assert "student" not in json.dumps(found.shown)


def test_the_key_names_its_page(compare):
    key = compare().key
    assert Key.model_validate(json.loads(key.model_dump_json())) == key
    assert key.page != compare(seed=18).key.page


def test_equal_models_cannot_be_compared():
    with pytest.raises(CompactLMError, match="nothing to compare"):
        draw_comparison({"sentiment": with_right([1, 0], [1, 0])}, LABELS, 10, 0, 0.1, 1)


def test_a_pair_of_texts_is_shown_as_two_paragraphs():
    answers = make_answers([0, 1], [[0.7, 0.3], [0.3, 0.7]], [[0.3, 0.7], [0.7, 0.3]], ["one", "two"])
    rows = tuple(dataclasses.replace(row, pair=f"second of {row.text}") for row in answers.rows)
    found = draw_comparison({"sentiment": dataclasses.replace(answers, rows=rows)}, LABELS, 2, 0, 0.1, 17)
    assert sorted(one["text"] for one in found.shown) == ["one\n\nsecond of one", "two\n\nsecond of two"]

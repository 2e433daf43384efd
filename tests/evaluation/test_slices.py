import dataclasses
import json

import numpy as np
import pytest

from compactlm.evaluation.slices import count_words, make_slices, slice_figures, words_of, worst_slice
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status, write_figures
from compactlm.params import Slices
from tests.fixtures.compared import with_right

SETTINGS = Slices(lengths=(3, 6), negations=["not", "never"], negation_endings=["n't"], rare_below=2)
TEXTS = (
    "The film was good",
    "It isn\u2019t bad",
    "NOT for me, never again, said the old actor",
    "A knot of notes",
    "Zounds! 1999 was good and warm for us",
)
SOURCES = ("tweets", "reviews", "reviews", "tweets", "reviews")


def masks():
    seen = count_words(["The film was good", "the old actor was warm and good for a knot of notes"] * 2, words_of(" ".join(TEXTS)))
    seen.update(dict.fromkeys(("it", "isn\u2019t", "bad", "not", "me", "never", "again", "said", "us"), 5))
    return make_slices(TEXTS, SOURCES, SETTINGS, seen)


def rows(mask):
    return np.flatnonzero(mask).tolist()


def test_rows_are_sliced_by_length_source_negation_and_rare_words():
    found = masks()
    assert {name: rows(mask) for name, mask in found["length"].items()} == {"short": [1], "medium": [0, 3], "long": [2, 4]}
    assert {name: rows(mask) for name, mask in found["source"].items()} == {"reviews": [1, 2, 4], "tweets": [0, 3]}
    assert rows(found["negation"]["with"]) == [1, 2]  # "knot" and "notes" are no negations
    assert rows(found["rare_words"]["with"]) == [4]  # a number is not a word


def test_every_row_is_in_one_slice_of_each_kind():
    for parts in masks().values():
        assert (np.sum(list(parts.values()), axis=0) == 1).all()


def test_words_are_counted_without_case():
    assert count_words(["Good, good film", "GOOD"], ["good", "dog"]) == {"good": 3, "dog": 0}


def test_the_worst_slice_is_judged():
    hard, few = [0] * 50, [0] * 29
    answers = with_right([1] * 60 + [1] * 50 + [1] * 29, [1] * 60 + hard + few)
    slices = {"kind": {"easy": np.arange(139) < 60, "hard": (np.arange(139) >= 60) & (np.arange(139) < 110), "few": np.arange(139) >= 110}}
    found = slice_figures(answers, slices, Resampler(100, 1))
    assert {name: (part["rows"], part["student"].judged) for name, part in found["kind"].items()} == {
        "easy": (60, 1),
        "hard": (50, 1),
        "few": (29, 0),
    }
    assert found["kind"]["easy"]["student"].value == 1
    assert found["kind"]["hard"]["student"].value == 0
    found["kind"]["hard"]["student"] = dataclasses.replace(found["kind"]["hard"]["student"], value=0.25)
    worst = worst_slice(found, 0.5)
    assert (worst["student"].value, worst["teacher"].value) == (0.25, 1)
    assert worst["student"].status is Status.VIOLATED  # its interval ends below 0.11
    assert worst_slice(found, 0.1)["student"].status is Status.UNDECIDED
    json.dumps(write_figures(found), allow_nan=False)


@pytest.mark.parametrize(("rows", "value"), [(0, None), (1, 1.0)])
def test_without_a_judged_slice_there_is_no_worst_slice(rows, value):
    found = slice_figures(with_right([1], [1]), {"kind": {"one": np.array([rows == 1])}}, Resampler(100, 1))
    part = found["kind"]["one"]
    assert (part["rows"], part["student"].judged, part["student"].value) == (rows, False, value)
    assert worst_slice(found, 1.0) == {}


@pytest.mark.parametrize("lengths", [(6, 6), (9, 3)])
def test_lengths_that_do_not_increase_are_refused(lengths):
    with pytest.raises(ValueError, match="make the second greater"):
        Slices(lengths=lengths, negations=["not"], negation_endings=[], rare_below=1)

"""A query finds its passage if no other passage is as near."""

import dataclasses

import numpy as np
import pytest

from compactlm.evaluation.embeddings.retrieval import Search, make_search, ranks, retrieval
from compactlm.figures.bootstrap import Resampler
from tests.fixtures.builders import make_row

RESAMPLER = Resampler(200, 1)


def on_circle(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_rank_is_one_more_than_the_number_of_nearer_passages():
    passages = on_circle(0, 20, 50, 90)
    assert ranks(on_circle(2, 48, 60, 85), passages, [0, 1, 0, 3]).tolist() == [1, 2, 4, 1]


def test_a_tie_counts_as_a_better_passage_so_that_one_point_finds_nothing():
    one_point = on_circle(*[30] * 5)
    assert ranks(one_point, one_point, range(5)).tolist() == [5] * 5


def test_batches_of_queries_do_not_change_ranks(monkeypatch):
    generator = np.random.default_rng(1)
    queries, passages = (generator.normal(size=(20, 4)).astype(np.float32) for _ in range(2))
    whole = ranks(queries, passages, range(20))
    monkeypatch.setattr("compactlm.evaluation.embeddings.retrieval.QUERIES_AT_ONCE", 3)
    assert ranks(queries, passages, range(20)).tolist() == whole.tolist()


def test_shares_of_found_queries_have_intervals_over_passages():
    places = {"p0": 0, "p1": 20, "q0": 2, "q0b": 3, "q1": 5}
    search = Search(("p0", "p1"), ("q0", "q0b", "q1"), (0, 0, 1))
    found = retrieval(lambda texts: on_circle(*(places[text] for text in texts)), search, RESAMPLER)
    assert found["found_at_1"].value == pytest.approx(2 / 3)
    assert found["found_at_10"].value == 1
    assert (found["found_at_1"].low, found["found_at_1"].high) == (0, 1)  # a resample may draw one passage twice, with all its queries
    assert found["found_at_1"].rows == 3


def test_passages_are_those_of_the_sources_cut_to_words_and_joined_if_equal():
    def row(number, source, text, *queries):
        return dataclasses.replace(make_row(number, text, source), queries=queries)

    rows = [
        row(1, "boolq", "one  two three four", "is it one?", "is it two?"),
        row(2, "boolq", "one two three five", "is it five?", "is it one?"),
        row(3, "xsum", "a document", "its summary"),
        row(4, "boolq", "a passage without queries"),
        row(5, "boolq", "six", "is it six?"),
    ]
    search = make_search(rows, ["boolq"], words=3)
    assert search.passages == ("one two three", "six")
    assert search.queries == ("is it one?", "is it two?", "is it five?", "is it six?")
    assert search.own == (0, 0, 0, 1)

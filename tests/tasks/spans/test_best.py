import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks.base import Example
from compactlm.tasks.spans.best import best_span, best_threshold
from compactlm.tasks.spans.windows import span_windows


class Framing:
    cls, sep, unknown = 1, 2, 3


def windows_of(tokens, length=12, overlap=3):
    return span_windows(
        Framing, [9, 9], (list(range(100, 100 + tokens)), [(3 * token, 3 * token + 2) for token in range(tokens)]), None, length, overlap
    )


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 10_000))
def test_the_best_place_is_that_of_a_search_of_all(tokens, longest, seed):
    windows = windows_of(tokens)
    generator = np.random.default_rng(seed)
    logits = [generator.integers(-3, 4, (len(window.input_ids), 2)).astype(np.float32) for window in windows]
    places = [
        (float(logit[start, 0] + logit[end, 1]), window.places[start][0], window.places[end][1])
        for window, logit in zip(windows, logits, strict=True)
        for start, end in itertools.product(range(window.second, len(window.input_ids) - 1), repeat=2)
        if 0 <= end - start < longest
    ]
    nothing = min(float(logit[0].sum()) for logit in logits)
    found = best_span(windows, logits, longest)
    best = max(score for score, *_ in places)
    assert (best, found.start, found.end) in places
    assert found.margin == pytest.approx(best - nothing)
    total = sum(np.exp(score) for score, *_ in places) + np.exp(nothing)
    assert found.probability == pytest.approx(np.exp(best) / total)
    assert found.nothing == pytest.approx(np.exp(nothing) / total)


def test_question_and_special_tokens_are_no_answer():
    (window,) = windows_of(3)
    logits = np.zeros((len(window.input_ids), 2))
    logits[[0, 1, 3, -1]] = 50
    logits[window.second + 1] = 1
    found = best_span([window], [logits], 30)
    assert (found.start, found.end, found.margin) == (3, 5, 2 - 100)
    assert not found.is_answer(0.0)
    assert found.is_answer(-99.0)


def test_padding_after_a_window_is_left_out():
    (window,) = windows_of(3)
    logits = np.zeros((len(window.input_ids) + 5, 2))
    logits[-5:] = 50
    assert best_span([window], [logits], 30).end <= 8


def test_a_passage_without_tokens_has_no_answer():
    (window,) = windows_of(0)
    found = best_span([window], [np.zeros((len(window.input_ids), 2))], 30)
    assert not found.is_answer(-1e9)
    assert (found.probability, found.nothing) == (0, 1)


def test_large_logits_give_finite_probabilities():
    window = Example([1, 2, 7, 2], 2, None, [(-1, -1), (-1, -1), (0, 1), (-1, -1)])
    found = best_span([window], [np.array([[0, 0], [0, 0], [5e4, 5e4], [0, 0]])], 30)
    assert found.probability == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_no_threshold_is_better_than_the_best(rows):
    margins, answered, unanswered = (np.array([row[column] for row in rows], float) for column in range(3))
    threshold = best_threshold(margins, answered, unanswered)

    def score(at):
        return np.where(margins > at, answered, unanswered).sum()

    others = [-9.0, 9.0, *np.arange(-6, 6.5, 0.5)]
    assert score(threshold) == max(score(other) for other in [threshold, *others])
    assert threshold == 0 or score(0.0) < score(threshold)


def test_a_row_without_a_place_does_not_move_the_threshold():
    assert best_threshold([-np.inf, 3.0], [1, 1], [0, 0]) == 0
    assert best_threshold([], [], []) == 0

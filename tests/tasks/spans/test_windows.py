from hypothesis import assume, given
from hypothesis import strategies as st

from compactlm.tasks.base import NOWHERE
from compactlm.tasks.spans.windows import answer_tokens, span_windows
from tests.tasks.texts import LENGTHS, OVERLAPS, SENTENCES


class Framing:
    cls, sep, unknown = 1, 2, 3


@given(st.integers(0, 30), st.integers(0, 120), LENGTHS, OVERLAPS)
def test_windows_hold_the_whole_passage_in_order(question, tokens, length, overlap):
    passage = list(range(100, 100 + tokens)), [(token, token + 1) for token in range(tokens)]
    windows = span_windows(Framing, [9] * question, passage, None, length, overlap)
    seen = []
    for window in windows:
        assert len(window.input_ids) <= length
        assert len(window.places) == len(window.input_ids)
        assert window.target == [0, 0]
        part = [place for place in window.places if place != NOWHERE]
        assert [100 + start for start, _ in part] == window.input_ids[window.second : -1]
        assert window.input_ids[window.second - 1] == window.input_ids[-1] == 2
        assert window.places[: window.second] == [NOWHERE] * window.second
        new = [start for start, _ in part if not seen or start > seen[-1]]
        assert new or not tokens
        seen += new
    assert seen == list(range(tokens))


@given(st.integers(0, 30), st.integers(1, 80), LENGTHS, OVERLAPS, st.data())
def test_the_target_is_the_place_of_the_answer_in_every_window_that_holds_it(question, tokens, length, overlap, data):
    first = data.draw(st.integers(0, tokens - 1))
    last = data.draw(st.integers(first, tokens - 1))
    passage = list(range(100, 100 + tokens)), [(token, token + 1) for token in range(tokens)]
    for window in span_windows(Framing, [9] * question, passage, (first, last), length, overlap):
        held = range(100 + first, 101 + last)
        if set(held) <= set(window.input_ids):
            start, end = map(int, window.target)
            assert window.input_ids[start : end + 1] == list(held)
            assert (window.places[start][0], window.places[end][1]) == (first, last + 1)
        else:
            assert window.target == [0, 0]


def is_edge(text, place):
    """Return whether no word goes on over a place of a text, however it is segmented."""
    return place in (0, len(text)) or text[place - 1] == " " or text[place] == " "


@given(SENTENCES.map(" ".join), st.data())
def test_the_place_of_an_answer_survives_every_segmentation(segmenters, text, data):
    # An answer from the start of a word to the end of a word.
    edges = [place for place in range(len(text) + 1) if is_edge(text, place)]
    start, end = sorted((data.draw(st.sampled_from(edges)), data.draw(st.sampled_from(edges))))
    answer = text[start:end]
    for segmenter in segmenters:
        (places,) = segmenter.offsets([text])
        found = answer_tokens(places, start, end)
        if not any(segmenter.pieces([answer])):
            continue  # spaces, or characters without a token
        assert found is not None
        here = text[places[found[0]][0] : places[found[1]][1]]
        assert here in answer
        # What is left out has no token: spaces and characters that BERT removes.
        before, after = text[start : places[found[0]][0]], text[places[found[1]][1] : end]
        assert segmenter.pieces([before, after]) == [[], []]


@given(SENTENCES.map(" ".join), st.data())
def test_an_answer_inside_words_becomes_the_shortest_tokens_around_it(segmenters, text, data):
    assume(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    for segmenter in segmenters:
        (places,) = segmenter.offsets([text])
        found = answer_tokens(places, start, end)
        if found is None:
            assert not any(first < end and last > start for first, last in places)
        else:
            assert places[found[0]][1] > start
            assert places[found[1]][0] < end
            assert found[0] == 0 or places[found[0] - 1][1] <= start
            assert found[1] == len(places) - 1 or places[found[1] + 1][0] >= end


def test_a_long_question_leaves_half_of_the_window_to_the_passage():
    passage = list(range(100, 140)), [(token, token + 1) for token in range(40)]
    windows = span_windows(Framing, [9] * 100, passage, None, 23, 2)
    assert windows[0].input_ids == [1, *[9] * 10, 2, *range(100, 110), 2]
    assert windows[1].input_ids[12] == 108


def test_an_empty_passage_is_a_window_without_places():
    (window,) = span_windows(Framing, [9, 9], ([], []), None, 20, 4)
    assert window.input_ids == [1, 9, 9, 2, 2]
    assert set(window.places) == {NOWHERE}

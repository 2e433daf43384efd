from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks.tags.windows import word_tokens, word_windows
from tests.tasks.texts import LENGTHS, OVERLAPS, SENTENCES

TOKENS = st.lists(st.lists(st.integers(10, 99), min_size=1, max_size=9), max_size=60)


class Framing:
    cls, sep, unknown = 1, 2, 3


@given(TOKENS, LENGTHS, OVERLAPS)
def test_every_word_is_answered_once_and_by_its_own_first_token(tokens, length, overlap):
    windows = word_windows(tokens, Framing, length, overlap)
    answered = [word for window in windows for word in window.words]
    assert answered == list(range(len(tokens)))
    for window in windows:
        assert len(window.input_ids) <= length
        assert (window.input_ids[0], window.input_ids[-1]) == (1, 2)
        inner = length - 2
        for word, position in zip(window.words, window.positions, strict=True):
            here = window.input_ids[position : position + len(tokens[word])]
            assert here[: len(tokens[word][:inner])] == tokens[word][:inner]


@given(TOKENS, LENGTHS, OVERLAPS)
def test_windows_share_no_more_tokens_than_allowed(tokens, length, overlap):
    windows = word_windows(tokens, Framing, length, overlap)
    held = sum(len(window.input_ids) - 2 for window in windows)
    assert held <= sum(min(len(word), length - 2) for word in tokens) + overlap * (len(windows) - 1)


def test_a_word_between_windows_is_answered_where_it_has_more_context():
    tokens = [[word] for word in range(10, 30)]
    windows = word_windows(tokens, Framing, 12, 4)
    assert [window.input_ids[1:-1] for window in windows] == [list(range(10, 20)), list(range(16, 26)), list(range(22, 30))]
    # Words 16 to 19 are in both windows. The first answers 16 and 17, which are nearer to the start of the second.
    assert [list(window.words) for window in windows] == [list(range(8)), list(range(8, 14)), list(range(14, 20))]


def test_ten_thousand_words_are_all_answered():
    tokens = [[10 + word % 80] * (1 + word % 3) for word in range(10_000)]
    windows = word_windows(tokens, Framing, 128, 32)
    assert [word for window in windows for word in window.words] == list(range(10_000))
    assert len(windows) < 10_000 * 2 / (126 - 32) + 2


def test_a_word_longer_than_a_window_is_cut():
    windows = word_windows([[10], [11] * 50, [12]], Framing, 10, 4)
    assert [list(window.words) for window in windows] == [[0], [1], [2]]
    assert windows[1].input_ids == [1, *[11] * 8, 2]


@given(SENTENCES)
def test_every_word_has_a_token_whatever_its_characters(segmenters, words):
    for segmenter in segmenters:
        (tokens,) = word_tokens(segmenter, [words])
        assert len(tokens) == len(words)
        assert all(tokens)


def test_a_text_without_words_is_a_window_without_answers():
    (window,) = word_windows([], Framing, 10, 4)
    assert window.input_ids == [1, 2]
    assert list(window.words) == window.positions == []

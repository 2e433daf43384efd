import pytest
from hypothesis import given
from hypothesis import strategies as st

SURROGATES = st.characters(categories=["Cs"])


@given(st.text(st.one_of(SURROGATES, st.characters(), st.sampled_from("film dog")), max_size=20))
def test_half_characters_are_read_and_move_no_place(segmenters, text):
    for segmenter in segmenters:
        (tokens,), (places,) = segmenter.pieces([text]), segmenter.offsets([text])
        assert len(tokens) == len(places)
        assert all(0 <= start <= end <= len(text) for start, end in places)


@pytest.mark.parametrize("hidden", ["\ud83d", "\ud83d\ude00"])
def test_words_after_half_characters_keep_their_places(segmenters, hidden):
    text = f"a {hidden} film"
    (places,) = segmenters[0].offsets([text])
    assert [text[start:end] for start, end in places] == ["a", "film"]


def test_truncation_that_transformers_switched_on_is_undone(segmenters):
    segmenter = segmenters[0]
    segmenter.library.enable_truncation(3)
    assert len(segmenter.pieces(["good film " * 5])[0]) == 10

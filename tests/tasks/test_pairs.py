from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import BertProcessing

from compactlm.tasks.pairs import pair_ids, single_ids
from compactlm.tasks.segmenting import LibrarySegmenter


def library() -> Tokenizer:
    made = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5, "c": 6}, unk_token="[UNK]"))  # noqa: S106
    made.pre_tokenizer = Whitespace()
    made.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


WORDS = st.lists(st.sampled_from("abcx"), max_size=30).map(" ".join)


@given(WORDS, WORDS, st.integers(8, 40))
def test_pairs_are_cut_and_typed_as_the_tokenizers_library_does(first, second, length):
    reference = library()
    reference.enable_truncation(length, strategy="longest_first")
    wanted = reference.encode(first, second)
    segmenter = LibrarySegmenter(library())
    ids, start = pair_ids(segmenter, *segmenter.pieces([first, second]), length)
    assert ids == wanted.ids
    assert [int(at >= start) for at in range(len(ids))] == wanted.type_ids


@given(WORDS, st.integers(8, 40))
def test_single_texts_are_cut_as_the_tokenizers_library_does(text, length):
    reference = library()
    reference.enable_truncation(length)
    segmenter = LibrarySegmenter(library())
    assert single_ids(segmenter, segmenter.pieces([text])[0], length) == (reference.encode(text).ids, None)


def test_truncation_and_padding_of_the_library_change_nothing():
    limited = library()
    limited.enable_truncation(4)
    limited.enable_padding()
    assert LibrarySegmenter(limited).pieces(["a b c a b c", "a"]) == [[4, 5, 6, 4, 5, 6], [4]]
    assert LibrarySegmenter(limited).offsets(["a  bx", ""]) == [[(0, 1), (3, 5)], []]

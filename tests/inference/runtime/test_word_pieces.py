import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from compactlm.inference.runtime import word_pieces
from compactlm.inference.runtime.pieces import Pieces
from compactlm.inference.runtime.word_pieces import WordPieces

PLAIN = st.text(string.ascii_letters + string.digits + string.punctuation + "  ", max_size=60)
MIXED = st.text("aAbz09 _-'.,[]{}~\t\n\x00\x7f\u00e9\u0301\u4e2d\u2019\u200b\U0001f600", max_size=40) | st.text(max_size=30)


@pytest.fixture(scope="module")
def pieces(student_root) -> Pieces:
    directory = student_root / "mlm"
    return Pieces(directory, 64, Tokenizer.from_file(str(directory / "tokenizer.json")).get_vocab_size())


def lists(found) -> list[list[int]]:
    return [list(ids) for ids in found]


@given(texts=st.lists(PLAIN | MIXED | st.sampled_from(["good [MASK] food", "a" * 101, "[CLS]", "", " "]), max_size=8))
def test_the_pieces_are_the_tokenizers(pieces, texts) -> None:
    remembering = WordPieces(pieces)
    for _ in range(2):  # the second time from memory
        assert lists(remembering.encode(texts)) == pieces.encode(texts)


def test_a_word_is_asked_for_once(pieces, monkeypatch) -> None:
    asked: list[str] = []
    encode = pieces.encode
    monkeypatch.setattr(pieces, "encode", lambda texts: asked.extend(texts) or encode(texts))
    remembering = WordPieces(pieces)
    remembering.encode(["good food, good film", "Good film!"])
    assert [sorted(text.split()) for text in asked if text] == [["!", ",", "film", "food", "good"]]
    remembering.encode(["food, good film!", "film, good-film"])
    assert asked[1:] == ["-"]


def test_the_memory_is_bounded(pieces, monkeypatch) -> None:
    monkeypatch.setattr(word_pieces, "WORDS", 3)
    remembering = WordPieces(pieces)
    texts = [["one two three four five"], ["six one"], ["seven"]]
    assert [lists(remembering.encode(one)) for one in texts] == [pieces.encode(one) for one in texts]
    assert len(remembering._words) == 3


def test_words_that_no_one_writes_twice_are_not_remembered(pieces) -> None:
    remembering = WordPieces(pieces)
    texts = ["good " + "a" * 101, "a" * 10_000]
    assert lists(remembering.encode(texts)) == pieces.encode(texts)
    assert set(remembering._words) == {"good"}


@pytest.mark.parametrize(
    "change",
    [
        lambda kind: kind["normalizer"].update(lowercase=False),
        lambda kind: kind.update(pre_tokenizer={"type": "Whitespace"}),
        lambda kind: kind["added_tokens"].append({**kind["added_tokens"][0], "id": 5, "content": "good", "special": False}),
    ],
    ids=["cased", "other words", "added piece"],
)
def test_other_tokenizers_are_left_to_the_library(pieces, change) -> None:
    kind = json.loads(pieces.tokenizer.to_str())
    change(kind)
    other = object.__new__(Pieces)
    other.__dict__.update(pieces.__dict__, tokenizer=Tokenizer.from_str(json.dumps(kind)))
    texts = ["Good food-film", "goodfood good"]
    assert not WordPieces(other)._knows_words
    assert WordPieces(other).encode(texts) == other.encode(texts)

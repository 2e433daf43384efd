import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as LibraryTokenizer

from compactlm.inference.runtime.tokenizer import Tokenizer
from compactlm.inference.runtime.word_cache import WordCache

PLAIN = st.text(string.ascii_letters + string.digits + string.punctuation + "  ", max_size=60)
MIXED = st.text("aAbz09 _-'.,[]{}~\t\n\x00\x7f\u00e9\u0301\u4e2d\u2019\u200b\U0001f600", max_size=40) | st.text(max_size=30)


@pytest.fixture(scope="module")
def tokenizer(student_root) -> Tokenizer:
    directory = student_root / "mlm"
    return Tokenizer(directory, 64, LibraryTokenizer.from_file(str(directory / "tokenizer.json")).get_vocab_size())


def lists(found) -> list[list[int]]:
    return [list(ids) for ids in found]


@given(texts=st.lists(PLAIN | MIXED | st.sampled_from(["good [MASK] food", "a" * 101, "[CLS]", "", " "]), max_size=8))
def test_the_ids_equal_those_of_the_tokenizer(tokenizer, texts) -> None:
    cache = WordCache(tokenizer)
    for _ in range(2):  # the second time from the cache
        assert lists(cache.encode(texts)) == tokenizer.encode(texts)


def test_each_word_is_tokenized_once(tokenizer, monkeypatch) -> None:
    tokenized: list[str] = []
    encode = tokenizer.encode
    monkeypatch.setattr(tokenizer, "encode", lambda texts: tokenized.extend(texts) or encode(texts))
    cache = WordCache(tokenizer)
    cache.encode(["good food, good film", "Good film!"])
    assert [sorted(text.split()) for text in tokenized if text] == [["!", ",", "film", "food", "good"]]
    cache.encode(["food, good film!", "film, good-film"])
    assert tokenized[1:] == ["-"]


def test_a_text_is_looked_up_without_reading_the_whole_cache(tokenizer) -> None:
    class Unread(dict):
        def keys(self):
            raise AssertionError("this reads all words")

        __iter__ = items = values = keys

    cache = WordCache(tokenizer)
    cache.encode(["good food"])
    cache._words = Unread(cache._words)
    for texts in (["good food"], ["good film"]):  # known words, and a new one
        assert lists(cache.encode(texts)) == tokenizer.encode(texts)


@pytest.mark.parametrize(
    ("texts", "capacity", "size"), [(["one two three four five", "six one", "seven"], 3, 3), (["good " + "a" * 101, "a" * 10_000], 99, 1)]
)
def test_the_cache_is_bounded_and_has_no_very_long_words(tokenizer, texts, capacity, size) -> None:
    cache = WordCache(tokenizer, capacity=capacity)
    assert [lists(cache.encode([text])) for text in texts] == [tokenizer.encode([text]) for text in texts]
    assert len(cache) == size


@pytest.mark.parametrize(
    "change",
    [
        lambda kind: kind["normalizer"].update(lowercase=False),
        lambda kind: kind.update(pre_tokenizer={"type": "Whitespace"}),
        lambda kind: kind["added_tokens"].append({**kind["added_tokens"][0], "id": 5, "content": "good", "special": False}),
    ],
    ids=["cased", "other words", "added token"],
)
def test_the_library_encodes_for_other_tokenizers(tokenizer, change) -> None:
    kind = json.loads(tokenizer.library.to_str())
    change(kind)
    other = object.__new__(Tokenizer)
    other.__dict__.update(tokenizer.__dict__, library=LibraryTokenizer.from_str(json.dumps(kind)))
    texts = ["Good food-film", "goodfood good"]
    assert not WordCache(other).supported
    assert WordCache(other).encode(texts) == other.encode(texts)

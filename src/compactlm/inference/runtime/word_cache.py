"""Tokenize plain text with a cache of words.

When a stream of lines is classified, the tokenizer takes most of the time. The cache avoids splitting the same word twice.
"""

from __future__ import annotations

import itertools
import json
import re
from array import array
from collections.abc import Iterator, Sequence

from compactlm.inference.runtime.tokenizer import Tokenizer

WORDS = 200_000  # this many words take some tens of megabytes
LONGEST = 100  # words with more letters seldom repeat
AT_ONCE = 1000  # this many words are tokenized as one text, in a fifth of the time of as many texts
_WORDS_AND_MARKS = re.compile(r"[a-z0-9]+|[^a-z0-9]").findall
PREFIX = "continuing_subword_prefix"
_IDS = "i"  # ids are joined as packed bytes, which takes a tenth of the time of joining lists


class WordCache:
    """Encodes texts exactly as the tokenizer does, but tokenizes each word once.

    In printable ASCII, the words of an uncased BERT are runs of letters and digits, and each punctuation mark is a word. No token spans two
    words. The cache also keeps each whole string between two spaces. It is not used for text outside printable ASCII, for text with a
    special token such as [MASK], and for other kinds of tokenizers.
    """

    def __init__(self, tokenizer: Tokenizer, capacity: int = WORDS) -> None:
        """Take the model's tokenizer, and the number of words at which the cache is emptied."""
        self.tokenizer, self.capacity = tokenizer, capacity
        described = json.loads(tokenizer.library.to_str())
        self.supported = _is_uncased_bert(described)
        # The library finds these tokens before it splits a text into words.
        self._special = re.compile("|".join(re.escape(token["content"]) for token in described["added_tokens"])).search
        self._words: dict[str, bytes] = {}
        self._cls, self._sep = _pack([tokenizer.cls]), _pack([tokenizer.sep])

    def __len__(self) -> int:
        return len(self._words)

    def encode(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """Return the token ids of each text, not truncated, with [CLS] and [SEP]; equal to `Tokenizer.encode`."""
        split = [text.lower().split() if self._is_plain(text) else None for text in texts]
        self._learn(set(itertools.chain.from_iterable(filter(None, split))))
        found = [None if words is None else self._join(words) for words in split]
        others = iter(self.tokenizer.encode([text for text, ids in zip(texts, found, strict=True) if ids is None]))
        return [next(others) if ids is None else ids for ids in found]

    def _is_plain(self, text: str) -> bool:
        return self.supported and text.isascii() and text.isprintable() and not ("[" in text and self._special(text))

    def _join(self, words: list[str]) -> Sequence[int] | None:
        """Return the ids of words with [CLS] and [SEP]; None if a word is too long for the cache."""
        try:
            return array(_IDS, b"".join([self._cls, *map(self._words.__getitem__, words), self._sep]))
        except KeyError:
            return None

    def _learn(self, words: set[str]) -> None:
        """Add words with their punctuation to the cache. The library tokenizes the parts that are new."""
        if len(self._words) > self.capacity:
            self._words = {}
        known = self._words  # the difference of a set and a dictionary's keys would read all keys
        parts = {word: _WORDS_AND_MARKS(word) for word in words if word not in known and len(word) <= LONGEST}
        if not parts:
            return
        unknown = list({part for found in parts.values() for part in found if part not in known})
        for start in range(0, len(unknown), AT_ONCE):
            some = unknown[start : start + AT_ONCE]
            self._words.update(zip(some, self._tokenize(some), strict=True))
        self._words.update((word, b"".join(map(self._words.__getitem__, found))) for word, found in parts.items())

    def _tokenize(self, words: Sequence[str]) -> Iterator[bytes]:
        """Yield the ids of each word. The words are encoded as one text; a word starts at each token without ##."""
        [ids] = self.tokenizer.encode([" ".join(words)])
        packed = _pack(ids)
        starts = [at * array(_IDS).itemsize for at, index in enumerate(ids) if index not in self.tokenizer.continuations]
        return (packed[start:end] for start, end in itertools.pairwise(starts[1:]))


def _pack(ids: Sequence[int]) -> bytes:
    return array(_IDS, ids).tobytes()


def _is_uncased_bert(tokenizer: dict[str, object]) -> bool:
    """Return whether the library describes a tokenizer as that of an uncased BERT without added words."""
    normalizer, splitter, model, added = (tokenizer.get(name) for name in ("normalizer", "pre_tokenizer", "model", "added_tokens"))
    if not (isinstance(normalizer, dict) and isinstance(splitter, dict) and isinstance(model, dict) and isinstance(added, list)):
        return False
    lowers = normalizer.get("type") == "BertNormalizer" and normalizer.get("lowercase") is True and normalizer.get("clean_text") is True
    splits = splitter.get("type") == "BertPreTokenizer" and model.get("type") == "WordPiece" and model.get(PREFIX) == "##"
    return lowers and splits and all(str(token["content"]).startswith("[") and not token["normalized"] for token in added)

"""Plain text to piece ids by a memory of words: beside the model, cutting text into pieces is where a stream of lines spends its time."""

from __future__ import annotations

import itertools
import json
import re
from array import array
from collections.abc import Iterator, Sequence

from compactlm.inference.runtime.pieces import Pieces

WORDS = 200_000  # remembered: some tens of megabytes
LONGEST = 100  # letters of a word that is remembered; longer ones seldom come again
AT_ONCE = 1000  # words that the library is asked for as one text, which costs it a fifth of as many texts
_WORDS_AND_MARKS = re.compile(r"[a-z0-9]+|[^a-z0-9]").findall
_IDS = "i"  # how ids are packed: words are joined as bytes, which takes a tenth of the time that lists of numbers do


class WordPieces:
    """Encodes texts as the tokenizer does, and asks it once for each word.

    In printable ASCII the words of an uncased BERT are the runs of letters and digits, and each mark by itself; no piece reaches from one
    into the next. What stands between two spaces is remembered whole. Other text, text with a piece such as [MASK], and all text of a
    tokenizer of another kind, is left to the library.
    """

    def __init__(self, pieces: Pieces) -> None:
        """Take the model's tokenizer."""
        self.pieces = pieces
        described = json.loads(pieces.tokenizer.to_str())
        self._knows_words = _is_uncased_bert(described)
        # The library looks for these before it cuts a text into words.
        self._special = re.compile("|".join(re.escape(piece["content"]) for piece in described["added_tokens"])).search
        self._words: dict[str, bytes] = {}
        self._cls, self._sep = _pack([pieces.cls]), _pack([pieces.sep])

    def encode(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """Return the piece ids of each text, uncut, with [CLS] and [SEP]; they equal those of `Pieces.encode`."""
        cut = [text.lower().split() if self._suits(text) else None for text in texts]
        self._learn(set(itertools.chain.from_iterable(filter(None, cut))))
        found = [None if words is None else self._join(words) for words in cut]
        others = iter(self.pieces.encode([text for text, ids in zip(texts, found, strict=True) if ids is None]))
        return [next(others) if ids is None else ids for ids in found]

    def _suits(self, text: str) -> bool:
        return self._knows_words and text.isascii() and text.isprintable() and not ("[" in text and self._special(text))

    def _join(self, words: list[str]) -> Sequence[int] | None:
        """Return the ids of words with [CLS] and [SEP]; None where one of them is not remembered, being too long."""
        try:
            return array(_IDS, b"".join([self._cls, *map(self._words.__getitem__, words), self._sep]))
        except KeyError:
            return None

    def _learn(self, words: set[str]) -> None:
        """Remember words with the marks that hang on them; the library is asked for the parts that are not known yet."""
        if len(self._words) > WORDS:
            self._words = {}
        parts = {word: _WORDS_AND_MARKS(word) for word in words - self._words.keys() if len(word) <= LONGEST}
        unknown = list({part for found in parts.values() for part in found} - self._words.keys())
        for start in range(0, len(unknown), AT_ONCE):
            some = unknown[start : start + AT_ONCE]
            self._words.update(zip(some, self._ask(some), strict=True))
        self._words.update((word, b"".join(map(self._words.__getitem__, found))) for word, found in parts.items())

    def _ask(self, words: Sequence[str]) -> Iterator[bytes]:
        """Yield the ids of each of some words, which are asked for as one text: a word begins where a piece does not go on one."""
        [ids] = self.pieces.encode([" ".join(words)])
        packed = _pack(ids)
        starts = [at * array(_IDS).itemsize for at, index in enumerate(ids) if index not in self.pieces.continuations]
        return (packed[start:end] for start, end in itertools.pairwise(starts[1:]))


def _pack(ids: Sequence[int]) -> bytes:
    return array(_IDS, ids).tobytes()


def _is_uncased_bert(tokenizer: dict[str, object]) -> bool:
    """Tell whether the library's description of a tokenizer is that of BERT for lower case, without pieces of one's own."""
    normalizer, cutter, model, added = (tokenizer.get(name) for name in ("normalizer", "pre_tokenizer", "model", "added_tokens"))
    if not (isinstance(normalizer, dict) and isinstance(cutter, dict) and isinstance(model, dict) and isinstance(added, list)):
        return False
    lowers = normalizer.get("type") == "BertNormalizer" and normalizer.get("lowercase") is True and normalizer.get("clean_text") is True
    cuts = cutter.get("type") == "BertPreTokenizer" and model.get("type") == "WordPiece"
    return lowers and cuts and all(str(piece["content"]).startswith("[") for piece in added)

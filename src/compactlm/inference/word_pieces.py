"""Plain text to piece ids by a memory of words: beside the model, cutting text into pieces is where a stream of lines spends its time."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence

from compactlm.inference.pieces import Pieces

WORDS = 200_000  # remembered: some tens of megabytes
LONGEST = 100  # letters of a word that is remembered; longer ones are an unknown piece each, and seldom come again
_WORDS_AND_MARKS = re.compile(r"[a-z0-9]+|[^a-z0-9\s]").findall


class WordPieces:
    """Encodes texts as the tokenizer does, and asks it once for each word.

    In printable ASCII the words of an uncased BERT are the runs of letters and digits, and each mark by itself; no piece reaches from one
    into the next. Other text, and all text of a tokenizer of another kind, is left to the library.
    """

    def __init__(self, pieces: Pieces) -> None:
        """Take the model's tokenizer."""
        self.pieces = pieces
        self._knows_words = _is_uncased_bert(json.loads(pieces.tokenizer.to_str()))
        self._words: dict[str, list[int]] = {}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the piece ids of each text, uncut, with [CLS] and [SEP]; they equal those of `Pieces.encode`."""
        fits = [self._knows_words and text.isascii() and text.isprintable() and "[" not in text for text in texts]
        cut = [_WORDS_AND_MARKS(text.lower()) if fit else [] for text, fit in zip(texts, fits, strict=True)]
        plain = [fit and max(map(len, words), default=0) <= LONGEST for words, fit in zip(cut, fits, strict=True)]
        cut = list(itertools.compress(cut, plain))
        self._learn(set(itertools.chain.from_iterable(cut)))
        word, cls, sep = self._words.__getitem__, self.pieces.cls, self.pieces.sep
        ours = iter([[cls, *itertools.chain.from_iterable(map(word, words)), sep] for words in cut])
        others = iter(self.pieces.encode([text for text, is_plain in zip(texts, plain, strict=True) if not is_plain]))
        return [next(ours if is_plain else others) for is_plain in plain]

    def _learn(self, words: set[str]) -> None:
        if len(self._words) > WORDS:
            self._words = {}
        unknown = sorted(words - self._words.keys())
        for word, ids in zip(unknown, self.pieces.encode(unknown), strict=True):
            self._words[word] = ids[1:-1]


def _is_uncased_bert(tokenizer: dict[str, object]) -> bool:
    """Tell whether the library's description of a tokenizer is that of BERT for lower case, without pieces of one's own."""
    normalizer, cutter, model, added = (tokenizer.get(name) for name in ("normalizer", "pre_tokenizer", "model", "added_tokens"))
    if not (isinstance(normalizer, dict) and isinstance(cutter, dict) and isinstance(model, dict) and isinstance(added, list)):
        return False
    lowers = normalizer.get("type") == "BertNormalizer" and normalizer.get("lowercase") is True and normalizer.get("clean_text") is True
    cuts = cutter.get("type") == "BertPreTokenizer" and model.get("type") == "WordPiece"
    return lowers and cuts and all(str(piece["content"]).startswith("[") for piece in added)

"""Measure how well a model's tokenizer represents a text: unknown words, changed characters, lines that are too long."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from tokenizers import Encoding

from compactlm.inference.runtime.tokenizer import Tokenizer
from compactlm.text.unicode import encodable

LINES_AT_ONCE = 1024


@dataclasses.dataclass
class Check:
    """Counts over lines.

    Attributes:
        limit: the maximum number of tokens that the model accepts, [CLS] and [SEP] included.
        lines: number of lines.
        pieces: number of tokens, without [CLS] and [SEP].
        exact: lines that decode to the same text, apart from spaces.
        normalised: lines that decode to their normalised form (lower case, no accents), but not to the same text.
        lost: lines that lose a part of their text.
        unknown: tokens that are [UNK].
        unknown_words: the words that became [UNK], with their counts.
        too_long: lines with more tokens than the limit.
        longest: the largest number of tokens of a line, [CLS] and [SEP] included.
        first_lost: the number, from 1, of the first line that loses text; None if there is none.
        first_too_long: the number of the first line that is too long; None if there is none.
    """

    limit: int
    lines: int = 0
    pieces: int = 0
    exact: int = 0
    normalised: int = 0
    lost: int = 0
    unknown: int = 0
    too_long: int = 0
    longest: int = 0
    first_lost: int | None = None
    first_too_long: int | None = None
    unknown_words: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, text: str, encoding: Encoding, normalised: str, unknown: int) -> None:
        """Count one line, given its encoding, its normalised form and the id of [UNK]."""
        self.lines += 1
        self.pieces += len(encoding.ids) - 2
        self.longest = max(self.longest, len(encoding.ids))
        if len(encoding.ids) > self.limit:
            self.too_long += 1
            self.first_too_long = self.first_too_long or self.lines
        spans = [span for index, span in zip(encoding.ids, encoding.offsets, strict=True) if index == unknown]
        self.unknown += len(spans)
        self.unknown_words.update(text[start:end] for start, end in spans)
        decoded = "".join(token.removeprefix("##") for token in encoding.tokens[1:-1])
        # Compared in lower case: the tokenizer does not normalise a special token, such as [MASK], in the text.
        if spans or decoded.lower() != _without_spaces(normalised).lower():
            self.lost += 1
            self.first_lost = self.first_lost or self.lines
        elif decoded == _without_spaces(text):
            self.exact += 1
        else:
            self.normalised += 1


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def check(tokenizer: Tokenizer, lines: Iterable[str]) -> Check:
    """Tokenize lines and count how well the tokenizer represents them."""
    result, remaining = Check(limit=tokenizer.limit), map(encodable, lines)
    normalizer = tokenizer.library.normalizer
    while some := list(islice(remaining, LINES_AT_ONCE)):
        for text, encoding in zip(some, tokenizer.library.encode_batch(some), strict=True):
            result.add(text, encoding, normalizer.normalize_str(text) if normalizer else text, tokenizer.unknown)
    return result

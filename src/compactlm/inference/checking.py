"""How a model's tokenizer fares with a text: what it cannot write, what it changes, what is too long."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

from tokenizers import Encoding

from compactlm.inference.runtime.pieces import Pieces
from compactlm.text.unicode import encodable

LINES_AT_ONCE = 1024


@dataclasses.dataclass
class Check:
    """Counts over lines.

    Attributes:
        lines: their number.
        pieces: without [CLS] and [SEP].
        exact: lines that come back from their pieces as they were, but for spaces.
        normalised: lines that come back as the tokenizer normalises them (lower case, accents), but not as they were.
        lost: lines of which something does not come back.
        unknown: pieces that are [UNK].
        unknown_words: what was read as [UNK], with how often.
        too_long: lines of more pieces than the model reads at once.
        limit: that number of pieces, [CLS] and [SEP] included.
        longest: the greatest number of pieces, [CLS] and [SEP] included.
        first_lost: the number of the first line of which something is lost, from 1; None where there is none.
        first_too_long: the same for lines that are too long.
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

    def _add(self, text: str, encoding: Encoding, normalised: str, unknown: int) -> None:
        self.lines += 1
        self.pieces += len(encoding.ids) - 2
        self.longest = max(self.longest, len(encoding.ids))
        if len(encoding.ids) > self.limit:
            self.too_long += 1
            self.first_too_long = self.first_too_long or self.lines
        spans = [span for index, span in zip(encoding.ids, encoding.offsets, strict=True) if index == unknown]
        self.unknown += len(spans)
        self.unknown_words.update(text[start:end] for start, end in spans)
        back = "".join(piece.removeprefix("##") for piece in encoding.tokens[1:-1])
        # A special piece such as [MASK] that stands in the text is not normalised.
        if spans or back.lower() != _joined(normalised).lower():
            self.lost += 1
            self.first_lost = self.first_lost or self.lines
        elif back == _joined(text):
            self.exact += 1
        else:
            self.normalised += 1


def _joined(text: str) -> str:
    return "".join(text.split())


def check(pieces: Pieces, lines: Iterable[str]) -> Check:
    """Read lines as a model would and count what comes of them."""
    result = Check(limit=pieces.limit)
    waiting: list[str] = []

    def read() -> None:
        for text, encoding in zip(waiting, pieces.tokenizer.encode_batch(waiting), strict=True):
            normaliser = pieces.tokenizer.normalizer
            result._add(text, encoding, normaliser.normalize_str(text) if normaliser else text, pieces.unknown)
        waiting.clear()

    for line in lines:
        waiting.append(encodable(line))
        if len(waiting) == LINES_AT_ONCE:
            read()
    read()
    return result

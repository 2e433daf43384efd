"""What MinHash compares of a text: its shingles, runs of letters or words in lower case."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")


def word_shingles(text: str, size: int) -> list[str]:
    """Return the different runs of `size` words, lower-case and without punctuation, sorted; of a shorter text all of it as one.

    A text without letters and digits is its own only shingle.
    """
    words = _WORD.findall(text.casefold())
    if not words:
        return [text]
    if len(words) <= size:
        return [" ".join(words)]
    return sorted({" ".join(words[start : start + size]) for start in range(len(words) - size + 1)})


def character_shingles(text: str, size: int) -> list[str]:
    """Return the different runs of `size` characters of the words, lower-case, parted by single spaces, sorted."""
    plain = " ".join(_WORD.findall(text.casefold())) or text
    return sorted({plain[start : start + size] for start in range(max(1, len(plain) - size + 1))})

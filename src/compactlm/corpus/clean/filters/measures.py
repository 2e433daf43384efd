"""Filters that drop a text because of its length or its shares of letters, digits and symbols."""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from typing import Literal

from compactlm.corpus.clean.filters.base import EMPTY, Dropped

TOO_SHORT = "too_short"
TOO_LONG = "too_long"
CharacterKind = Literal["letters", "digits", "symbols"]
_ASCII_SPACE = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_ASCII_LETTERS, _ASCII_DIGITS = string.ascii_letters.encode(), string.digits.encode()


def within_length(text: str, unit: Literal["characters", "words"], minimum: int, maximum: int | None) -> str | Dropped:
    """Drop a text that is empty or whose number of characters or words is out of bounds."""
    if not text:
        return Dropped(EMPTY)
    size = len(text) if unit == "characters" else len(text.split())
    if size < minimum:
        return Dropped(TOO_SHORT)
    return Dropped(TOO_LONG) if maximum is not None and size > maximum else text


def within_share(text: str, of: CharacterKind, minimum: float, maximum: float) -> str | Dropped:
    """Drop a text whose share of letters, digits or symbols is out of bounds, with a reason such as `few_letters`.

    The share is relative to all characters except white space. Combining marks count as letters; symbols are all characters that are
    neither letters nor digits. A text of only white space is kept here; the filter of length drops it.
    """
    counts = count_characters(text)
    everything = sum(counts.values())
    share = counts[of] / everything if everything else minimum
    if share < minimum:
        return Dropped(f"few_{of}")
    return Dropped(f"many_{of}") if share > maximum else text


def count_characters(text: str) -> dict[CharacterKind, int]:
    """Count letters (with combining marks), digits and symbols; white space is not counted."""
    if text.isascii():  # this is ten times as fast
        visible = text.encode().translate(None, _ASCII_SPACE)
        no_letters = visible.translate(None, _ASCII_LETTERS)
        symbols = len(no_letters.translate(None, _ASCII_DIGITS))
        return {"letters": len(visible) - len(no_letters), "digits": len(no_letters) - symbols, "symbols": symbols}
    counts: dict[CharacterKind, int] = {"letters": 0, "digits": 0, "symbols": 0}
    for character, count in Counter(text).items():
        if not character.isspace():
            counts[_kind(character)] += count
    return counts


def _kind(character: str) -> CharacterKind:
    category = unicodedata.category(character)
    if category[0] in "LM":
        return "letters"
    return "digits" if category == "Nd" else "symbols"

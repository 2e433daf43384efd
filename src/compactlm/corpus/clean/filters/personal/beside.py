"""Words next to a number that say what it is. Only a bounded part of the text is read, so the time per number is constant."""

from __future__ import annotations

import re

REACH = 48  # characters
# Between two groups of digits; a number in a table or a range has other characters there.
GAP = "[ _./\u00b7\\-\u00a0\u2007\u2009\u202f\u2010-\u2015\u2212]"

_CODE = re.compile(
    r"(?<![^\W_])(?:order|serial|invoice|article|item|part|parcel|tracking|imei|imsi|iccid|sku|ean|gtin|upc|barcode|isbn|issn|oclc|pmid|doi"
    r"|reference|ref|ticket|batch|lot|model|build|commit|total|sum|patent)s?(?:-1[03])?[\s_.:#=-]{0,3}(?:(?:numbers?|no|nr|num|code|id)[\s_.:#=-]{0,3}"
    r"|is[\s]|was[\s]){0,2}$",
    re.IGNORECASE,
)


_JOINT = re.compile(r"\s{0,2}(?:[,;/|&]|and|or|und|oder|et|ou|y|o)?\s{0,2}")


def found_before(words: re.Pattern[str], text: str, start: int) -> bool:
    """Return whether the pattern `words`, which must end with `$`, matches directly before the position `start`."""
    return words.search(text[max(0, start - REACH) : start]) is not None


def is_code(text: str, start: int) -> bool:
    """Return whether a word such as "order", "serial" or "ISBN" is directly before the position `start`."""
    return found_before(_CODE, text, start)


def continues(text: str, end: int, start: int) -> bool:
    """Return whether the item at `start` continues a list whose previous item ended at `end`."""
    return start - end < REACH and _JOINT.fullmatch(text, end, start) is not None

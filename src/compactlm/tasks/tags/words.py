"""The words of a text that has not been split into words."""

from __future__ import annotations

import itertools
import re
import unicodedata

_CHUNK = re.compile(r"\S+")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[^\s@]+@[^\s@]+\.\w+")
_NAME = re.compile(r"[@#]\w+")


def find_words(text: str) -> list[tuple[int, int]]:
    """Return the first character of each word and the character after its last, from left to right.

    Words are separated by spaces. Punctuation and symbols before and after a word are words of their own, and a run of the same
    character is one; those inside a word belong to it, as in "well-known" and "3.5". Ideographs of Chinese are words of one character, as
    BERT reads them. Addresses of pages and of mail, and names such as @user and #topic, are whole words.
    """
    found: list[tuple[int, int]] = []
    for chunk in _CHUNK.finditer(text):
        start, end = chunk.span()
        tail: list[tuple[int, int]] = []
        while start < end and _is_mark(text[start]) and not _NAME.match(text, start, end):
            after = _run_end(text, start, end)
            found.append((start, after))
            start = after
        while start < end and _is_mark(text[end - 1]):
            before = _run_start(text, start, end)
            tail.append((before, end))
            end = before
        found.extend(_inner(text, start, end))
        found.extend(reversed(tail))
    return found


def _inner(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Split a chunk without marks at its ends at ideographs."""
    if start == end or _ADDRESS.match(text, start, end):
        return [(start, end)] if start < end else []
    cuts = [start]
    for place in range(start, end):
        if _is_ideograph(text[place]):
            cuts += [place, place + 1]
    cuts.append(end)
    return [(one, other) for one, other in itertools.pairwise(cuts) if one < other]


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _is_ideograph(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or "\U00020000" <= character <= "\U0002fa1f"


def _run_end(text: str, start: int, end: int) -> int:
    after = start + 1
    while after < end and text[after] == text[start]:
        after += 1
    return after


def _run_start(text: str, start: int, end: int) -> int:
    before = end - 1
    while before > start and text[before - 1] == text[end - 1]:
        before -= 1
    return before

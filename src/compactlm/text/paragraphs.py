"""Divide a text into paragraphs, headings and items of lists, which no sentence crosses. Wrapped lines are joined."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

_ITEM = re.compile(
    "(?:[-*\u2022\u2023\u25e6\u25aa\u25cf\u00b7\u2013\u2014]|\\(?\\d{1,3}[.)]|\\(?[a-zA-Z]\\)|[a-z]\\.|\\(?[ivxIVX]{1,4}[.)])\\s+\\S"
)
_HEADING = re.compile(r"#{1,6}\s")
_RULE = re.compile(r"([=\-~*_#])\1{2,}")
_END = re.compile("[.!?\u2026;,\u3002\uff01\uff1f][\"'\u201d\u2019)\\]]*$")
_OPEN_WORDS = frozenset(
    """
    a an the of in on at to for from by with and or but as is was are were be been that which who this these those his her their its our my
    your not no into than then over under after before near about if when while dr mr mrs ms prof st
    """.split()
)
_WIDTH = 60  # characters; prose is rarely wrapped at fewer
_FILLED = 0.75  # of the width; a line that ends before this did not have to end there


def sentence_lines(text: str) -> Iterator[str]:
    """Yield the paragraphs, headings and items of a text, each on one line with single spaces."""
    if "\n" not in text and "\r" not in text:
        if line := " ".join(text.split()):
            yield line
        return
    paragraph: list[str] = []
    for line in [*text.splitlines(), ""]:
        # A line under a heading, as in Markdown, is no text.
        if (folded := " ".join(line.split())) and not _RULE.fullmatch(folded):
            paragraph.append(folded)
        elif paragraph:
            yield from _joined(paragraph)
            paragraph = []


def _joined(lines: list[str]) -> Iterator[str]:
    width = max(map(len, lines))
    joined = [lines[0]]
    for before, line in itertools.pairwise(lines):
        if _ITEM.match(line) or _HEADING.match(line) or _HEADING.match(before) or _is_whole(before, line, width):
            yield " ".join(joined)
            joined = []
        joined.append(line)
    yield " ".join(joined)


def _is_whole(line: str, following: str, width: int) -> bool:
    """Return whether a line was not wrapped: it has no mark at its end, a capital follows, and the next word would have fitted."""
    if _END.search(line[-4:]) or following[0].islower() or line.rpartition(" ")[2].lower().rstrip(".") in _OPEN_WORDS:
        return False
    needed = len(line) + 1 + len(following.partition(" ")[0])
    return width < _WIDTH or needed < _FILLED * width

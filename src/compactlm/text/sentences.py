"""Split a text into sentences by rules, without a model. Cleaning, summaries and passages use it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from compactlm.text.abbreviations import (
    AFTER_HOURS,
    BEFORE_I,
    GENERAL,
    HOURS,
    LETTERED,
    NEVER,
    NUMBERED,
    SAYING,
    STARTERS,
    TITLES,
)
from compactlm.text.paragraphs import sentence_lines

_NOTES = r"(?:\[(?:\d{1,3}|[a-z])\])"  # references after a mark, as in Wikipedia
_MARK = r"[.!?\u2026\u061f\u06d4\u0964]"
_CLOSING, _OPENING = "[\"'\u201d\u2019\u00bb)\\]}*_]", "[\"'\u201c\u2018\u00ab(\\[{$\u20ac\u00a3\u00bf\u00a1#@*_\u2013\u2014-]"
# Possessive quantifiers match a run of marks only once; backtracking would take quadratic time on a text of marks.
_END = re.compile(
    rf"(?P<marks>(?<!{_MARK}){_MARK}++)(?P<closing>{_CLOSING}*+)(?P<notes>(?>{_NOTES}*))\s++(?={_OPENING}{{0,3}}+(?:[^\Wa-z_]|[a-z][A-Z]))"
    "|(?P<wide>(?<![\u3002\uff01\uff1f])[\u3002\uff01\uff1f]++[\u300d\u300f\u201d\u2019\uff09]*+)\\s*+(?=\\S)"
    "|\\s++(?=[\u2022\u2023\u25e6\u25aa\u25cf]\\s)"
)
_KNOWN = GENERAL | NUMBERED | NEVER | TITLES
_REACH = 24  # characters of the text before a mark that are read
_WORD_BEFORE = re.compile(r"(?:(?P<previous>[^\W\d_]+)\s)?(?P<word>[^\W_]+(?:[.'\u2019][^\W_]+)*)$")
_DOTTED = re.compile(r"[a-z](?:\.[a-z])+")
_LIST_MARK = re.compile(r"[-*\u2022\u2023\u25e6\u25aa\u25cf]?\s?\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})")
_LISTED = re.compile(r"[:;]\s\(?(?:\d{1,2}|[a-z])$")  # "Steps: 1. Open it."
_NEXT = re.compile(rf"{_OPENING}{{0,3}}(?P<word>[^\W_]+(?:['\u2019]\w+)?)(?:\s(?P<second>\w++)(?![,:]))?")
_REFERENCE = re.compile(r"\d.*|[IVXLC]+|[A-Z]")


def split_sentences(text: str, abbreviations: Collection[str] = ()) -> list[str]:
    """Split a text into sentences, each on one line.

    A sentence ends at a mark before a capital, a digit or a letter without case, unless the mark belongs to an abbreviation, an initial or
    the number of a list. It also ends at an empty line, before an item of a list, and after a line that is a heading.

    Args:
        text: the text.
        abbreviations: further abbreviations, in lower case and without the last full stop.
    """
    return [sentence for line in sentence_lines(text) for sentence in _split_line(line, abbreviations)]


def _split_line(line: str, abbreviations: Collection[str]) -> Iterator[str]:
    start, held = 0, ""  # punctuation alone is added to the sentence before it
    for match in _END.finditer(line):
        if match["marks"] and not _is_end(line, start, match, abbreviations):
            continue
        end = match.end("notes") if match["marks"] else match.end("wide") if match["wide"] else match.start()
        piece, start = line[start:end], match.end()
        if held and _has_words(piece):
            yield held
            held = piece
        else:
            held = f"{held} {piece}" if held else piece
    rest = line[start:]
    if held and _has_words(rest):
        yield held
        held = rest
    elif rest:
        held = f"{held} {rest}" if held else rest
    if held:
        yield held


def _has_words(piece: str) -> bool:
    return piece[:1].isalnum() or any(map(str.isalnum, piece))


def _is_end(line: str, start: int, match: re.Match[str], abbreviations: Collection[str]) -> bool:
    """Return whether a sentence that starts at `start` ends at the mark of a match."""
    marks, closing = match["marks"], match["closing"]
    mark = match.start()
    if not closing:
        if marks != ".":
            return True
        word = line[max(line.rfind(" ", start, mark) + 1, start) : mark].lower()
        # True for most marks, and known without a regular expression.
        if len(word) > 4 and word.isalpha() and word not in _KNOWN and word not in abbreviations:
            return True
    following = _NEXT.match(line, match.end())
    word, second = (following["word"], following["second"]) if following else ("", None)
    if closing and second in SAYING:
        return False  # "Stop!" Anna said.
    if marks != ".":
        return True
    if _LIST_MARK.fullmatch(line, start, mark) or _LISTED.search(line, max(start, mark - _REACH), mark):
        return False
    if following and len(word) == 1 and word.isalpha() and line.startswith(".", following.end("word")):
        word = ""  # an initial or the letter of a list, and not the article
    before = _WORD_BEFORE.search(line, max(start, mark - _REACH), mark)
    return before is None or _ends_after(before["word"], before["previous"] or "", word, abbreviations)


def _ends_after(word: str, previous: str, following: str, abbreviations: Collection[str]) -> bool:
    low, first = word.lower(), following.lower().replace("\u2019", "'")
    if low in TITLES or low in NEVER:
        return False
    if low in NUMBERED and _REFERENCE.fullmatch(following) and first not in ("i", "a"):
        return False
    if low in HOURS:
        return first not in AFTER_HOURS
    if len(word) == 1 and word.isalpha() and (previous.lower() in LETTERED or (word == "I" and previous in BEFORE_I)):
        return True
    short = (len(word) == 1 and word.isalpha()) or _DOTTED.fullmatch(low) is not None
    return first in STARTERS if short or low in GENERAL or low in abbreviations else True

"""Sentences of an English text by rules, without a model. For sentences by a trained model see compactlm.text.punkt."""

from __future__ import annotations

import re

# A full stop after these does not end a sentence.
_ABBREVIATIONS = "mr mrs ms dr prof st sr jr vs etc inc ltd co fig gen col sgt capt lt rev hon jan feb apr aug sep sept oct nov dec"
_BEFORE = re.compile(rf"(?:\b(?:{'|'.join(_ABBREVIATIONS.split())}|[a-z]|e\.g|i\.e|u\.s|u\.k)\.)$", re.IGNORECASE)
_CLOSING, _OPENING = r"[\"'\u201d\u2019)\]]", r"[\"'\u201c\u2018(\[]"
_MARK = r"[.!?\u2026]"
# Possessive quantifiers match a run of marks only once; backtracking would take quadratic time on a text of marks.
_END = re.compile(rf"((?<!{_MARK}){_MARK}++{_CLOSING}*)\s++(?={_OPENING}?[^\Wa-z_])|\n\s*\n")
LONGEST_BEFORE = 8  # the longest abbreviation has this many characters, with its full stop


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences, each on one line.

    A sentence ends at an empty line, or at a mark before a capital, a digit or a letter without case, except after common
    abbreviations and initials.
    """
    sentences, start = [], 0
    for match in _END.finditer(text):
        end = match.end(1) if match.group(1) else match.start()
        if match.group(1) == "." and _BEFORE.search(text, max(start, end - LONGEST_BEFORE), end):
            continue
        sentences.append(text[start:end])
        start = match.end()
    sentences.append(text[start:])
    return [joined for sentence in sentences if (joined := " ".join(sentence.split()))]

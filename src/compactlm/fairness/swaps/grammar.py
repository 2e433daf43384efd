"""Agreement of a replaced word with its context: the indefinite article before it and its letter case."""

from __future__ import annotations

import re

_ARTICLE = re.compile(r"(?<!\w)(an?)(\s+)$", re.IGNORECASE)
_CONSONANT_SOUND = re.compile(r"eu|ewe|one\b|once|uni(?!n|m)|us[aeiu]|ut[eio]|ubi", re.IGNORECASE)
_SILENT_H = re.compile(r"heir|honest|honou?r|hour", re.IGNORECASE)


def match_case(word: str, pattern: str) -> str:
    """Give a word the case of another: all capitals, a capital first, or as it is."""
    letters = [letter for letter in pattern if letter.isalpha()]
    if len(letters) > 1 and all(letter.isupper() for letter in letters):
        return word.upper()
    return word[:1].upper() + word[1:] if letters and letters[0].isupper() else word


def agree_article(before: str, word: str) -> str:
    """Return the text before a word, with an indefinite article at its end adapted to the word's first sound."""
    found = _ARTICLE.search(before)
    if found is None:
        return before
    vowel = bool(_SILENT_H.match(word)) or (word[:1].lower() in "aeiou" and not _CONSONANT_SOUND.match(word))
    article = match_case("an" if vowel else "a", "A" if found[1][0].isupper() else "a")
    return f"{before[: found.start()]}{article}{found[2]}"

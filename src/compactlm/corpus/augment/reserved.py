"""Words that augmenters must not change because the meaning depends on them: names, numbers, negations, protected terms."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from compactlm.corpus.clean.filters.personal.placeholders import PLACEHOLDERS
from compactlm.params import ReservedKind

_CORE = re.compile(r"^\W+|(?<!\W)\W+$")
_CLITIC = re.compile(r"(?<=\w)'(?:s|ll|d|re|ve)$")
_SENTENCE_END = re.compile(r"[.!?\u2026:][\"'\u201d\u2019)\]]*$")
_TITLE = re.compile(
    r"(?<!\w)(?:mr|mrs|ms|mx|messrs|dr|drs|prof|profs|st|rev|hon|gen|col|maj|capt|lt|sgt|gov|sen|rep|pres|mme|mlle)\.$", re.IGNORECASE
)
_MASKED = frozenset(placeholder.strip("[]") for placeholder in PLACEHOLDERS.values())
_INSIDE = re.compile(r"[^\w']+")  # separates the words of a compound: twenty-two, no-one, good\u2014not
NEGATIONS = frozenset(
    "no not never none nobody noone nothing nowhere neither nor without cannot hardly barely scarcely rarely seldom "
    "cant dont doesnt didnt wont wouldnt couldnt shouldnt mustnt neednt isnt arent aint wasnt werent hasnt havent hadnt".split()
)
NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion dozen half once twice thrice "
    "hundreds thousands millions billions trillions dozens thirds fourths fifths "
    "first second third fourth fifth sixth seventh eighth ninth tenth".split()
)


class Reserved:
    """Finds the reserved words of a text.

    Args:
        kinds: any of `names`, `numbers`, `negations` and `protected`. Names are capitalised words and placeholders of personal data. At the
            start of a sentence, a capitalised word is a name only if another capitalised word follows.
        terms: the terms of the kind `protected`, of one or more words each.
    """

    def __init__(self, kinds: Collection[ReservedKind], terms: Collection[str] = ()) -> None:
        self._names, self._digits = "names" in kinds, "numbers" in kinds
        self._negations = "negations" in kinds
        listed: set[str] = set(NEGATIONS) if self._negations else set()
        self._listed = frozenset(listed | (NUMBERS if self._digits else set()))
        self._terms = _pattern(terms) if terms and "protected" in kinds else None

    def is_listed(self, word: str) -> bool:
        """Return whether a word is reserved in every context; augmenters do not insert such words either."""
        return bool(self._terms and self._terms.search(word)) or self._is_listed_alone(word)

    def _is_listed_alone(self, word: str) -> bool:
        if not self._listed:
            return False
        core = _CORE.sub("", word).casefold().replace("\u2019", "'")
        if self._digits and any(character.isdigit() for character in core):
            return True
        parts = _INSIDE.split(core)
        return any(_CLITIC.sub("", part) in self._listed or (self._negations and part.endswith("n't")) for part in parts)

    def places(self, words: Sequence[str]) -> set[int]:
        """Return the indices of reserved words in a list of words. The list may also contain white space and punctuation marks."""
        found = _touched(words, self._terms) if self._terms else set()
        if not (self._names or self._listed):
            return found
        starts, before = True, ""  # whether a sentence starts here; the previous word or mark
        first = None  # the index of a capitalised word at the start of a sentence, while only white space has followed
        for place, word in enumerate(words):
            core = _CORE.sub("", word)
            named = bool(core) and self._names and _is_name(core, starts)
            if named and first is not None:
                found.add(first)
            if named or (core and self._is_listed_alone(word)):
                found.add(place)
            if word.strip():
                first = place if starts and word.endswith(core) and _is_name(core, starts=False) else None
                starts = _ends_sentence(word if core else before + word) or (starts and not core)
                before = word
        return found


def _touched(words: Sequence[str], terms: re.Pattern[str]) -> set[int]:
    spans = [found.span(1) for found in terms.finditer(" ".join(words))]
    touched: set[int] = set()
    start = 0
    for place, word in enumerate(words if spans else ()):
        end = start + len(word)
        if any(first < end and start < last for first, last in spans):
            touched.add(place)
        start = end + 1
    return touched


def _pattern(terms: Collection[str]) -> re.Pattern[str]:
    # Terms are found as in the bias audit: as whole words next to any character but letters (she's, woman-led), also if two overlap.
    longest_first = sorted((term.split() for term in terms), key=lambda term: (-len(" ".join(term)), term))
    alternatives = "|".join(r"\s+".join(map(re.escape, term)) for term in longest_first)
    return re.compile(rf"(?<!\w)(?=({alternatives})(?!\w))", re.IGNORECASE)


def _ends_sentence(word: str) -> bool:
    return bool(_SENTENCE_END.search(word)) and not _TITLE.search(word)


def _is_name(core: str, starts: bool) -> bool:
    return core in _MASKED or (not starts and core != "I" and any(map(str.isupper, core)))


NOTHING = Reserved(())

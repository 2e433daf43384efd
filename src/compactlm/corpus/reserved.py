"""Words that an augmenter must leave alone, since what is said hangs on them: names, numbers, negations, terms of protected groups."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from compactlm.corpus.filters.personal import PLACEHOLDERS
from compactlm.params import ReservedKind

_CORE = re.compile(r"^\W+|\W+$")
_SENTENCE_END = re.compile(r"[.!?\u2026:][\"'\u201d\u2019)\]]*$")
_MASKED = frozenset(placeholder.strip("[]") for placeholder in PLACEHOLDERS.values())
NEGATIONS = frozenset(
    "no not never none nobody nothing nowhere neither nor without cannot cant dont wont isnt hardly barely scarcely rarely".split()
)
NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half first second third".split()
)


class Reserved:
    """Tells which words of a text are reserved.

    Args:
        kinds: `names` (capitalised words that begin no sentence, and placeholders of personal data), `numbers`, `negations`, `protected`.
        terms: the words behind `protected`, in lower case.
    """

    def __init__(self, kinds: Collection[ReservedKind], terms: Collection[str] = ()) -> None:
        self._names, self._digits = "names" in kinds, "numbers" in kinds
        self._negations = "negations" in kinds
        listed: set[str] = set(NEGATIONS) if self._negations else set()
        listed |= NUMBERS if self._digits else set()
        self._listed = frozenset(listed | ({term.casefold() for term in terms} if "protected" in kinds else set()))

    def is_listed(self, word: str) -> bool:
        """Tell whether a word is reserved wherever it stands; such a word is not put in either."""
        if not (self._listed or self._digits or self._negations):
            return False
        core = _CORE.sub("", word).casefold().replace("\u2019", "'")
        if core in self._listed or (self._negations and core.endswith("n't")):
            return True
        return self._digits and any(character.isdigit() for character in core)

    def places(self, words: Sequence[str]) -> set[int]:
        """Return the places of the reserved words among the words of a text; white space and marks may stand between them."""
        found: set[int] = set()
        if not (self._names or self._listed or self._digits):
            return found
        starts = True  # of a sentence
        for place, word in enumerate(words):
            core = _CORE.sub("", word)
            if core and (self.is_listed(word) or (self._names and _is_name(core, starts))):
                found.add(place)
            if core or word.strip():
                starts = bool(_SENTENCE_END.search(word)) or (starts and not core)
        return found


def _is_name(core: str, starts: bool) -> bool:
    return core in _MASKED or (not starts and core != "I" and any(map(str.isupper, core)))


NOTHING = Reserved(())

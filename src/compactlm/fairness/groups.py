"""Who a text speaks of: protected groups found by the words that mention them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from compactlm.params import Attribute

BOTH = "both"
NEITHER = "neither"


def only(group: str) -> str:
    """Return the name of the category of texts that mention this group and no other."""
    return f"{group}_only"


def category_names(attribute: Attribute) -> list[str]:
    """Return all categories of an attribute: one for each group, then `both` and `neither`."""
    return [*(only(group) for group in attribute.groups), BOTH, NEITHER]


class Lexicon:
    """The words of an attribute's groups, matched as whole words whatever the case of their letters."""

    def __init__(self, attribute: Attribute) -> None:
        self.patterns = {group: _pattern(words) for group, words in attribute.groups.items()}

    def mentioned(self, text: str) -> list[str]:
        """Return the groups that a text mentions, in the order of params.yaml."""
        return [group for group, pattern in self.patterns.items() if pattern.search(text)]

    def category(self, text: str) -> str:
        """Return `<group>_only`, `both` (more than one group) or `neither`."""
        groups = self.mentioned(text)
        if not groups:
            return NEITHER
        return only(groups[0]) if len(groups) == 1 else BOTH

    def categorise(self, texts: Iterable[str]) -> list[str]:
        """Return the category of each text."""
        return [self.category(text) for text in texts]


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    alternatives = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest_first)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)

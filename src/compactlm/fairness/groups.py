"""Find the group that a row belongs to, by the words of its text or by the value of a column."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from compactlm.artifacts import Document
from compactlm.draws import draw_items
from compactlm.params import Attribute

BOTH = "both"
NEITHER = "neither"
SAMPLE_CHARACTERS = 100


def only(group: str) -> str:
    """Return the name of the category for rows that belong to this group and no other."""
    return f"{group}_only"


def category_names(attribute: Attribute) -> list[str]:
    """Return all categories of an attribute: one for each group, then `both` and `neither`."""
    return [*(only(group) for group in attribute.groups), BOTH, NEITHER]


def categorise(rows: Sequence[Document], name: str, attribute: Attribute) -> list[str]:
    """Return the category of each row: `<group>_only`, `both` (more than one group) or `neither`.

    A pair mentions a group if one of its texts does. For an attribute from a column, the row has the value under the name of the attribute.
    White space at its ends is ignored. A value that no group lists is `neither`, and such a row is never `both`.
    """
    if attribute.found_in == "text":
        lexicon = Lexicon(attribute)
        return [lexicon.category(whole_text(row)) for row in rows]
    groups = {value.casefold(): only(group) for group, values in attribute.groups.items() for value in values}
    return [groups.get(" ".join((dict(row.attributes).get(name) or "").split()).casefold(), NEITHER) for row in rows]


def whole_text(row: Document) -> str:
    """Return the text of a row; for a pair, both texts."""
    return row.text if row.pair is None else f"{row.text} {row.pair}"


class Lexicon:
    """The words of an attribute's groups, matched as whole words in any letter case."""

    def __init__(self, attribute: Attribute) -> None:
        self.patterns = {group: word_pattern(words) for group, words in attribute.groups.items()}

    def mentioned(self, text: str) -> list[str]:
        """Return the groups that a text mentions, in the order of params.yaml."""
        return [group for group, pattern in self.patterns.items() if pattern.search(text)]

    def category(self, text: str) -> str:
        """Return `<group>_only`, `both` (more than one group) or `neither`."""
        groups = self.mentioned(text)
        if not groups:
            return NEITHER
        return only(groups[0]) if len(groups) == 1 else BOTH

    def words(self, text: str) -> list[str]:
        """Return the words of all groups that occur in a text, in lower case."""
        return [" ".join(found.lower().split()) for pattern in self.patterns.values() for found in pattern.findall(text)]

    def excerpt(self, text: str) -> str:
        """Return up to SAMPLE_CHARACTERS of a text, starting shortly before its first mention."""
        starts = [found.start() for pattern in self.patterns.values() if (found := pattern.search(text))]
        start = max(0, min(starts, default=0) - SAMPLE_CHARACTERS // 2)
        start = text.rfind(" ", 0, start) + 1 if start else 0
        end = start + SAMPLE_CHARACTERS
        return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"


@dataclasses.dataclass(frozen=True)
class Coverage:
    """The number of rows in each category of an attribute, with examples.

    Attributes:
        rows: the number of rows by category; empty categories are included.
        words: how often each word of the lexicon occurs, the most frequent first; empty for a column.
        samples: excerpts of some rows of each category.
    """

    rows: dict[str, int]
    words: dict[str, int]
    samples: dict[str, list[str]]


def cover(rows: Sequence[Document], categories: Sequence[str], attribute: Attribute, samples: int) -> Coverage:
    """Count the rows of each category, and draw `samples` rows of each. The result does not depend on the order of the rows."""
    lexicon = Lexicon(attribute)
    found: dict[str, list[Document]] = {category: [] for category in category_names(attribute)}
    for row, category in zip(rows, categories, strict=True):
        found[category].append(row)
    mentioning = [row for category, members in found.items() if category != NEITHER for row in members]
    words = Counter(word for row in mentioning for word in lexicon.words(whole_text(row))) if attribute.found_in == "text" else Counter()
    return Coverage(
        rows={category: len(members) for category, members in found.items()},
        words=dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))),
        samples={
            category: [lexicon.excerpt(whole_text(row)) for row in draw_items(members, samples, "coverage", key=lambda row: row.id)]
            for category, members in found.items()
        },
    )


def longest_first(words: Iterable[str]) -> list[str]:
    """Return the words in the order in which they are searched: longer words first."""
    return sorted(words, key=lambda word: (-len(word), word))


def word_pattern(words: Iterable[str], named: bool = False) -> re.Pattern[str]:
    """Return a pattern for these whole words, the longest first. It ignores letter case and accepts any white space inside a word.

    Args:
        words: the words, with single spaces inside and none at the ends.
        named: give each word a capturing group, in the order of longest_first.
    """
    escaped = (re.escape(word).replace(r"\ ", r"\s+") for word in longest_first(words))
    alternatives = "|".join(f"({word})" if named else word for word in escaped)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)

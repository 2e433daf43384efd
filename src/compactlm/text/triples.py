"""Triples of texts from templates: an anchor, a text with a similar meaning, and a text with another meaning."""

from __future__ import annotations

import dataclasses
from typing import Literal

from compactlm.params.suites import Opposites, Suite


@dataclasses.dataclass(frozen=True)
class Triple:
    """Three texts.

    Attributes:
        anchor: the text that the others are compared with.
        right: the text whose meaning is nearer to the anchor.
        wrong: the text whose meaning is farther from the anchor.
        filling: the words in the slots. Triples with the same filling are not independent.
    """

    anchor: str
    right: str
    wrong: str
    filling: str


def make_triples(suite: Suite, half: Literal["evaluate", "train"]) -> list[Triple]:
    """Combine every template of a suite with every filling of one half, without repeats."""
    found: dict[Triple, None] = {}
    for group in suite.groups:
        for filling in getattr(group, half):
            words = dict(zip(group.slots, filling, strict=True))
            for template in group.templates:
                anchor, right, wrong = (text.format_map(words) for text in (template.anchor, template.right, template.wrong))
                found[Triple(anchor, right, wrong, " / ".join(filling))] = None
    return list(found)


def opposite_triples(opposites: Opposites) -> list[Triple]:
    """Combine every template with every pair of opposites in both orders, without repeats."""
    found: dict[Triple, None] = {}
    for pair in opposites.pairs:
        for word, opposite in (pair, pair[::-1]):
            for template in opposites.templates:
                texts = (template.anchor, template.right, template.wrong)
                anchor, right, wrong = (text.format(word=word, opposite=opposite) for text in texts)
                found[Triple(anchor, right, wrong, " / ".join(pair))] = None
    return list(found)

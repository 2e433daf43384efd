"""Triples of texts from templates: an anchor, a text with a similar meaning, and a text with another meaning."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

from compactlm.params.suites import Opposites, Suite, SuiteTemplate


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
                found[_fill(template, words, filling)] = None
    return list(found)


def opposite_triples(opposites: Opposites) -> list[Triple]:
    """Combine every template with every pair of opposites in both orders, without repeats."""
    found: dict[Triple, None] = {}
    for pair in opposites.pairs:
        for word, opposite in (pair, pair[::-1]):
            for template in opposites.templates:
                found[_fill(template, {"word": word, "opposite": opposite}, pair)] = None
    return list(found)


def _fill(template: SuiteTemplate, words: Mapping[str, str], filling: Sequence[str]) -> Triple:
    anchor, right, wrong = (text.format_map(words) for text in (template.anchor, template.right, template.wrong))
    return Triple(anchor, right, wrong, " / ".join(filling))

"""Entities in sequences of tags.

A tag is O, outside every entity, or a prefix and the type of an entity, such as B-person. The scheme BIO has the prefixes B (begin) and I
(inside); BIOES also has E (the last word) and S (a single word). Tags are read as the evaluation script of CoNLL-2000 (Tjong Kim Sang and
Buchholz 2000) reads them, and seqeval by default, so every sequence of tags has a meaning, also one that breaks its scheme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

OUTSIDE = "O"
_CONTINUED = ("B", "I")  # an entity may go on after these prefixes
_CONTINUING = ("I", "E")  # and with these


class Entity(NamedTuple):
    """An entity: its type, its first word, and the word after its last."""

    kind: str
    start: int
    end: int


def split_tag(tag: str) -> tuple[str, str]:
    """Return the prefix and the type of a tag; both are parts of "B-person", and "O" has no type."""
    prefix, _, kind = tag.partition("-")
    return prefix, kind


def entities(tags: Sequence[str]) -> list[Entity]:
    """Return the entities of a sequence of tags in BIO or BIOES, from left to right.

    A tag other than O continues the entity before it if its prefix is I or E, the prefix before it is B or I, and both have the same type.
    Otherwise it begins an entity.
    """
    found: list[Entity] = []
    before = (OUTSIDE, "")
    for word, tag in enumerate(tags):
        prefix, kind = current = split_tag(tag)
        if prefix != OUTSIDE:
            if prefix in _CONTINUING and before[0] in _CONTINUED and before[1] == kind:
                found[-1] = found[-1]._replace(end=word + 1)
            else:
                found.append(Entity(kind, word, word + 1))
        before = current
    return found


def write_tags(found: Iterable[Entity], words: int) -> list[str]:
    """Return the BIO tags of entities that do not overlap, one tag a word."""
    tags = [OUTSIDE] * words
    for kind, start, end in found:
        tags[start:end] = [f"B-{kind}", *([f"I-{kind}"] * (end - start - 1))]
    return tags


def scheme(labels: Iterable[str]) -> str | None:
    """Return the scheme of a list of tags: "BIO", "BIOES", or None if they mark no entities, such as parts of speech."""
    prefixes = set()
    for label in labels:
        prefix, kind = split_tag(label)
        if label != OUTSIDE and (prefix not in ("B", "I", "E", "S") or not kind):
            return None
        prefixes.add(prefix)
    if not prefixes - {OUTSIDE}:
        return None
    return "BIOES" if prefixes & {"E", "S"} else "BIO"


def full_tags(labels: Sequence[str]) -> list[str]:
    """Return the tags of a list of tags or of entity types, in the order of a model's outputs.

    Tags of a scheme stay as they are. Types of entities become O, and B and I of each.
    """
    if scheme(labels):
        return list(labels)
    return [OUTSIDE, *(f"{prefix}-{kind}" for kind in labels for prefix in _CONTINUED)]

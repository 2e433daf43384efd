"""Tags of words carried over to a changed text, so that no label moves to another word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

OUTSIDE = "O"
_PREFIXED = re.compile(r"([BIES])-(.+)", re.DOTALL)


def continued(tag: str, words: int) -> list[str]:
    """Return the tags of the words that a word becomes: an entity begins at the first and ends at the last."""
    return _joined([tag], words)


def carry_pieces(tags: Sequence[str], counts: Sequence[int]) -> list[str] | None:
    """Return the tags of the words that each word becomes, or None if an entity is left without a word.

    Args:
        tags: the tag of each word.
        counts: how many words each becomes; 0 removes it.
    """
    entities = _entities(tags)
    carried = [new for tag, count in zip(tags, counts, strict=True) for new in continued(tag, count)]
    sources = [entity for entity, count in zip(entities, counts, strict=True) for _ in range(count)]
    return _mended(carried, sources, tags, entities)


def carry_tags(words: Sequence[str], tags: Sequence[str], new: Sequence[str], *, in_order: bool = False) -> list[str] | None:
    """Return the tags of changed words; None if a label would be lost or would stand at another word.

    Words that stay keep their tags. Words that others replace give them their tag if it is the same for all, or if they are in one entity.
    Added words are outside of entities. If an entity loses its first or last word, it begins or ends at another one.

    Args:
        words: the words before the change.
        tags: their tags, by BIO, BIOES or without prefixes.
        new: the words after the change.
        in_order: whether equally many words in place of others replace them one by one.
    """
    entities = _entities(tags)
    carried: list[str] = []
    sources: list[int | None] = []  # the entity of each new word
    for change, start, end, new_start, new_end in difflib.SequenceMatcher(None, words, new, autojunk=False).get_opcodes():
        count, replaced = new_end - new_start, tags[start:end]
        inside = set(entities[start:end])
        if change == "equal" or (change == "replace" and end - start == count and (in_order or count == 1)):
            carried += replaced
            sources += entities[start:end]
        elif change == "insert":
            if any(not _is_of_scheme(tag) for tag in tags) or _within_entity(entities, start):
                return None
            carried += [OUTSIDE] * count
            sources += [None] * count
        elif change == "delete" or inside == {None}:
            if change != "delete" and len(set(replaced)) > 1:
                return None
            carried += [*replaced[:1]] * count
            sources += [None] * count
        elif len(inside) == 1:
            carried += _joined(replaced, count)
            sources += [entities[start]] * count
        else:
            return None
    return _mended(carried, sources, tags, entities)


def _is_of_scheme(tag: str) -> bool:
    return tag == OUTSIDE or _PREFIXED.fullmatch(tag) is not None


def _entities(tags: Sequence[str]) -> list[int | None]:
    """Return the number of each word's entity, and None for a word outside of entities."""
    found: list[int | None] = []
    number, open_kind = -1, None
    for tag in tags:
        prefix, kind = match.groups() if (match := _PREFIXED.fullmatch(tag)) else ("", None)
        if kind is not None and (prefix in "BS" or kind != open_kind):
            number += 1
        found.append(None if kind is None else number)
        open_kind = None if prefix in "ES" else kind
    return found


def _within_entity(entities: Sequence[int | None], place: int) -> bool:
    return 0 < place < len(entities) and entities[place] is not None and entities[place] == entities[place - 1]


def _joined(tags: Sequence[str], count: int) -> list[str]:
    """Return the tags of `count` words that replace words of one entity, or words outside of entities that have one tag."""
    first, last = _PREFIXED.fullmatch(tags[0]), _PREFIXED.fullmatch(tags[-1])
    if first is None or last is None:
        return [tags[0]] * count
    prefixes = ["I"] * count
    begins, ends = first.group(1) in "BS", last.group(1) in "ES"
    if count and ends:
        prefixes[-1] = "E"
    if count and begins:
        prefixes[0] = "S" if ends and count == 1 else "B"
    return [f"{prefix}-{first.group(2)}" for prefix in prefixes]


def _mended(carried: list[str], sources: Sequence[int | None], tags: Sequence[str], entities: Sequence[int | None]) -> list[str] | None:
    """Return the tags with entities that begin and end at their first and last words; None if one is lost or has gaps."""
    for number in sorted({entity for entity in entities if entity is not None}):
        own = [place for place, source in enumerate(sources) if source == number]
        if not own or own[-1] - own[0] + 1 != len(own):
            return None
        before = [tag for tag, entity in zip(tags, entities, strict=True) if entity == number]
        begins, ends = before[0][0] in "BS", before[-1][0] in "ES"
        for place in own:
            first, last = begins and place == own[0], ends and place == own[-1]
            prefix = "S" if first and last else "B" if first else "E" if last else "I"
            carried[place] = prefix + carried[place][1:]
    return carried

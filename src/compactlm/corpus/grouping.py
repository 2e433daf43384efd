"""Which rows belong together: near-exact duplicates, and texts of one document."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from compactlm.artifacts import Document

_OTHER = re.compile(r"[\W_]+")
_OTHER_ASCII = bytes(code for code in range(128) if not chr(code).isalnum())
Key = Callable[[Document], Hashable]


def duplicate_key(document: Document) -> str:
    """Return what near-exact duplicates share: the letters and digits of the text, whatever their case."""
    text = document.text.casefold()
    if text.isascii():  # most texts, and ten times as fast
        return text.encode().translate(None, _OTHER_ASCII).decode() or document.text
    return _OTHER.sub("", text) or document.text


def document_key(document: Document) -> tuple[str, str]:
    """Return what texts of one document share: source and document."""
    return document.source, document.document


KEYS: Mapping[str, Key] = {"duplicates": duplicate_key, "documents": document_key}


def group(documents: Sequence[Document], keys: Iterable[Key] = tuple(KEYS.values())) -> list[list[Document]]:
    """Group documents that share a key, directly or by way of others.

    Args:
        documents: the rows; their order does not matter.
        keys: functions of a document; equal values bind documents together.

    Returns:
        The groups, each sorted by id, in the order of their smallest ids.
    """
    ordered = sorted(documents, key=lambda document: document.id)
    parents = list(range(len(ordered)))
    for key in keys:
        first: dict[Hashable, int] = {}
        for index, document in enumerate(ordered):
            _unite(parents, index, first.setdefault(key(document), index))
    groups: defaultdict[int, list[Document]] = defaultdict(list)
    for index, document in enumerate(ordered):
        groups[_root(parents, index)].append(document)
    return list(groups.values())


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _unite(parents: list[int], left: int, right: int) -> None:
    low, high = sorted((_root(parents, left), _root(parents, right)))
    parents[high] = low


def crossings(splits: Mapping[str, Sequence[Document]]) -> dict[str, int]:
    """Count the values of each key that occur in more than one split."""
    counts = {}
    for name, key in KEYS.items():
        homes: defaultdict[Hashable, set[str]] = defaultdict(set)
        for split, documents in splits.items():
            for document in documents:
                homes[key(document)].add(split)
        counts[name] = sum(len(home) > 1 for home in homes.values())
    return counts

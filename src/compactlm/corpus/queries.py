"""Passages with their queries, for training on pairs and for evaluating retrieval."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable

from compactlm.artifacts import Document

PASSAGE_WORDS = 90


@dataclasses.dataclass(frozen=True, slots=True)
class Passage:
    """The beginning of a row's text, and its sorted queries (questions that it answers, or its summary)."""

    id: str
    source: str
    text: str
    queries: tuple[str, ...]


def passages_with_queries(rows: Iterable[Document], words: int = PASSAGE_WORDS, sources: Collection[str] | None = None) -> list[Passage]:
    """Return the passages of the rows that have queries, sorted by id; each is cut to its first `words` words.

    Augmented and repeated copies are left out. Each passage is listed once: rows whose passages are equal after cutting share one entry,
    with all their queries and the smallest id.

    Args:
        rows: the rows of a split.
        words: the number of words to which passages are cut.
        sources: the sources to take rows from; None takes all. Questions of a dialogue, such as those of QuAC, often make no sense without
            the previous questions, so retrieval is better measured on other sources.
    """
    found: dict[str, Passage] = {}
    for row in sorted(rows, key=lambda row: row.id):
        if row.queries and row.parent is None and (sources is None or row.source in sources):
            text = cut_words(row.text, words)
            known = found.get(text)
            queries = row.queries if known is None else tuple(sorted({*known.queries, *row.queries}))
            found[text] = Passage(row.id, row.source, text, queries) if known is None else dataclasses.replace(known, queries=queries)
    return list(found.values())


def cut_words(text: str, words: int) -> str:
    """Return the first words of a text, joined by single spaces."""
    return " ".join(text.split(maxsplit=words)[:words])

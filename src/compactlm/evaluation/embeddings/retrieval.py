"""Retrieval: whether a query finds its own passage among all passages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from compactlm.artifacts import Document
from compactlm.evaluation.embeddings.vectors import Embed, Figures, Vectors, cosines, share_of
from compactlm.figures.bootstrap import Resampler

QUERIES_AT_ONCE = 1024
CUTS = (1, 10)  # ranks up to which a passage counts as found


@dataclasses.dataclass(frozen=True)
class Search:
    """Distinct passages, queries, and the position of each query's own passage."""

    passages: tuple[str, ...]
    queries: tuple[str, ...]
    own: tuple[int, ...]


def make_search(rows: Iterable[Document], sources: Sequence[str], words: int) -> Search:
    """Return the passages that have queries, each cut to its first `words` words."""
    belonging: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.source in sources and row.queries:
            passage = " ".join(row.text.split()[:words])
            belonging.setdefault(passage, {}).update(dict.fromkeys(row.queries))
    pairs = [(at, query) for at, queries in enumerate(belonging.values()) for query in queries]
    return Search(tuple(belonging), tuple(query for _, query in pairs), tuple(at for at, _ in pairs))


def ranks(queries: Vectors, passages: Vectors, own: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the rank of each query's own passage by cosine, starting at 1, int64 [queries]. Tied passages count as nearer."""
    positions = np.asarray(own, dtype=np.int64)
    found = np.zeros(len(positions), dtype=np.int64)
    for start in range(0, len(positions), QUERIES_AT_ONCE):
        part = slice(start, start + QUERIES_AT_ONCE)
        similarity = cosines(queries[part], passages)
        nearest = np.take_along_axis(similarity, positions[part, None], axis=1)
        found[part] = (similarity >= nearest).sum(axis=1)
    return found


def retrieval(embed: Embed, search: Search, resampler: Resampler) -> Figures:
    """Return `found_at_1` and `found_at_10`, the shares of queries whose passage is the nearest or among the ten nearest.

    Resamples draw passages with all their queries.
    """
    found = ranks(embed(search.queries), embed(search.passages), search.own)
    clusters = [str(at) for at in search.own]
    return {f"found_at_{cut}": share_of((found <= cut).astype(np.float64), clusters, resampler) for cut in CUTS}

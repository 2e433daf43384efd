"""Near-duplicates by MinHash (Broder 1997), the signatures by rensa: which rows are alike, and which of them stay."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from compactlm.artifacts import Document
from compactlm.corpus.duplicates.shingles import character_shingles, word_shingles
from compactlm.params import NearDuplicates

NEAR_DUPLICATE = "near_duplicate"


def signatures(texts: Sequence[str], settings: NearDuplicates, seed: int) -> npt.NDArray[np.uint32]:
    """Return the MinHash signatures of texts, as an array of (texts, permutations).

    The share of equal places of two signatures estimates the Jaccard similarity of the texts' shingles.
    """
    shingles = word_shingles if settings.unit == "words" else character_shingles
    found = np.empty((len(texts), settings.permutations), dtype=np.uint32)
    for row, text in enumerate(texts):  # as integers of Python all rows would take ten times the memory
        found[row] = _signature(shingles(text, settings.size), settings.permutations, seed)
    return found


def _signature(shingles: list[str], permutations: int, seed: int) -> list[int]:
    hashes = RMinHash(num_perm=permutations, seed=seed)
    hashes.update(shingles)
    return hashes.digest()


def drop_near_duplicates(documents: Sequence[Document], clusters: Sequence[int], dropped: Counter[tuple[str, str]]) -> list[Document]:
    """Keep one row of each cluster, and count the others in `dropped` by source and reason; the order does not matter.

    A labelled row wins over an unlabelled one, else the smallest id wins. Rows with different labels are all kept, one a label:
    in a near-duplicate one word can turn the meaning.

    Returns:
        What is kept, sorted by id.
    """
    members: defaultdict[int, list[Document]] = defaultdict(list)
    for document, number in zip(documents, clusters, strict=True):
        members[number].append(document)
    kept = []
    for group in members.values():
        winners = list(_winners(group))
        kept += winners
        names = {winner.id for winner in winners}
        dropped.update((document.source, NEAR_DUPLICATE) for document in group if document.id not in names)
    return sorted(kept, key=lambda document: document.id)


def _winners(group: Sequence[Document]) -> Iterator[Document]:
    first: dict[tuple[str | None, str | None], Document] = {}
    for document in sorted(group, key=lambda document: document.id):
        first.setdefault((document.task, document.label), document)
    labelled = [document for (task, _), document in first.items() if task is not None]
    yield from labelled or first.values()

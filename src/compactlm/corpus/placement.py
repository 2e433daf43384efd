"""A split that is stable under growth: a row's place depends on the seed and on its document or text alone.

Rows that are already placed stay where they are when data is added. The price is that shares and strata are kept on average, as
by drawing lots, and not to the row. Where rows that belong together were placed apart, the held-out one stays and those of train
go: to move either would make the place of a row depend on what else there is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from compactlm.artifacts import SPLITS, Document
from compactlm.corpus.grouping import duplicate_key
from compactlm.params import Split

PROTECTED = ("test", "validation", "train")  # what stands earlier keeps its rows, and what is like them later goes
Splits = dict[str, list[Document]]
Leaks = Counter[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """A stable split.

    Attributes:
        splits: the documents of each split, sorted by id.
        leaked: rows that were dropped because they are too like a row of a protected split, by source and reason.
    """

    splits: Splits
    leaked: Leaks


def placement_key(document: Document) -> str:
    """Return what decides a row's place: its document, or, where it is a document of its own, the letters and digits of its text."""
    if document.document != document.id:
        return f"document\0{document.source}\0{document.document}"
    return f"text\0{duplicate_key(document)}"


def place(key: str, split: Split, seed: int) -> str:
    """Return the split that (seed, key) falls into; another share of validation leaves test as it is."""
    digest = hashlib.blake2b(f"{seed}\0{key}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") / 2**64
    if drawn < split.test:
        return "test"
    return "validation" if drawn < split.test + split.validation else "train"


def split_by_placement(documents: Sequence[Document], clusters: Sequence[int], split: Split, seed: int) -> Placed:
    """Split documents by their own keys, and keep what is like a held-out row out of the other splits.

    Args:
        documents: the rows, each with an id of its own.
        clusters: a number for each row, equal for near-duplicates.
        split: the share of the rows in each split.
        seed: draws the places.

    Returns:
        The splits, and what was dropped: a row whose cluster has a row in a split that is protected before its own.
    """
    homes = [place(placement_key(document), split, seed) for document in documents]
    first: dict[int, str] = {}
    for home, number in zip(homes, clusters, strict=True):
        first[number] = min(home, first.get(number, home), key=PROTECTED.index)
    splits: Splits = {name: [] for name in SPLITS}
    leaked: Leaks = Counter()
    for document, home, number in zip(documents, homes, clusters, strict=True):
        if home == first[number]:
            splits[home].append(document)
        else:
            leaked[document.source, f"near_duplicate_of_{first[number]}"] += 1
    return Placed({name: sorted(rows, key=lambda row: row.id) for name, rows in splits.items()}, leaked)


def share_deviations(splits: Mapping[str, Sequence[Document]], split: Split) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each split how far the share of each source and label is from the one asked for, and what chance explains.

    Returns:
        By split and by stratum ("source" or "source/label"): `share`, `deviation`, and `standard_error` of a share drawn row by
        row, so that a deviation of more than three of these means that rows of this stratum come in large documents.
    """
    rows = Counter(stratum for part in splits.values() for document in part for stratum in _strata(document))
    wanted = split.model_dump(include=set(SPLITS))
    deviations: dict[str, dict[str, dict[str, float]]] = {}
    for name, part in splits.items():
        counts = Counter(stratum for document in part for stratum in _strata(document))
        deviations[name] = {
            stratum: {
                "share": round(counts[stratum] / total, 6),
                "deviation": round(counts[stratum] / total - wanted[name], 6),
                "standard_error": round(math.sqrt(wanted[name] * (1 - wanted[name]) / total), 6),
            }
            for stratum, total in sorted(rows.items())
        }
    return deviations


def _strata(document: Document) -> list[str]:
    return [document.source] if document.label is None else [document.source, f"{document.source}/{document.label}"]

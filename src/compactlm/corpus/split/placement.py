"""A split that is stable under growth: a row's place depends on the seed and on its document or text alone.

Rows that are already placed stay where they are when data is added. The price is that shares and strata are kept on average, as
by drawing lots, and not to the row. Where rows that belong together were placed apart, the held-out one stays and those of train
go: to move either would make the place of a row depend on what else there is.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import numpy.typing as npt

from compactlm.artifacts import SPLITS
from compactlm.corpus.split.grouping import Integers, Rows, duplicate_key
from compactlm.corpus.split.splitting import TEST, TRAIN, VALIDATION, Homes, count_strata
from compactlm.params import Split

PROTECTED = (TEST, VALIDATION, TRAIN)  # what stands earlier keeps its rows, and what is like them later goes


def draw_place(name: str, source: str, document: str, text: str, seed: int) -> int:
    """Return 64 bits that seed and document draw, or, where a row is a document of its own, the letters and digits of its text.

    Args:
        name: the row's id.
        source: its source.
        document: its document, which is its id where it is one itself.
        text: its text.
        seed: the experiment's.
    """
    key = f"text\0{duplicate_key(text)}" if document == name else f"document\0{source}\0{document}"
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{key}".encode(), digest_size=8).digest(), "big")


def place(drawn: npt.NDArray[np.uint64], split: Split) -> Homes:
    """Return the split that each drawn number falls into; another share of validation leaves test as it is."""
    share = drawn / 2**64
    homes = np.full(len(drawn), TRAIN, dtype=np.int8)
    homes[share < split.test + split.validation] = VALIDATION
    homes[share < split.test] = TEST
    return homes


def protect(homes: Homes, clusters: Integers) -> Homes:
    """Return the splits without the rows (-1) whose cluster has a row in a split that is protected before their own."""
    ranks = np.array([PROTECTED.index(home) for home in range(len(SPLITS))])[homes]
    first = np.full(clusters.max() + 1 if len(clusters) else 0, len(PROTECTED))
    np.minimum.at(first, clusters, ranks)
    return np.where(ranks == first[clusters], homes, -1).astype(np.int8)


def share_deviations(rows: Rows, homes: Homes, split: Split) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each split how far the share of each source and label is from the one asked for, and what chance explains.

    Returns:
        By split and by stratum ("source" or "source/label"): `share`, `deviation`, and `standard_error` of a share drawn row by
        row, so that a deviation of more than three of these means that rows of this stratum come in large documents.
    """
    wanted = split.model_dump(include=set(SPLITS))
    counts: dict[str, npt.NDArray[np.int64]] = {}
    for (source, _, label), column in zip(rows.strata, count_strata(rows, homes).T, strict=True):
        for stratum in [source] if label is None else [source, f"{source}/{label}"]:
            counts[stratum] = counts.get(stratum, np.zeros(len(SPLITS), dtype=np.int64)) + column
    return {
        name: {
            stratum: {
                "share": round(found[home] / found.sum(), 6),
                "deviation": round(found[home] / found.sum() - wanted[name], 6),
                "standard_error": round(math.sqrt(wanted[name] * (1 - wanted[name]) / found.sum()), 6),
            }
            for stratum, found in sorted(counts.items())
            if found.sum()
        }
        for home, name in enumerate(SPLITS)
    }

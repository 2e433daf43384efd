"""Clusters of near-duplicates from MinHash signatures: buckets by band, union-find over arrays of integers.

Rows that agree in all places of one band meet in that band's bucket (locality-sensitive hashing; Leskovec, Rajaraman and Ullman,
Mining of Massive Datasets, chapter 3); those in one bucket whose signatures agree in at least `threshold` of all places are
bound together. One band is held at a time (8 bytes a row), and of the signatures only those of rows that share a bucket.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

# Rows of one bucket are compared each with each up to this many; in a larger bucket all are bound together.
LARGEST_COMPARED = 2_000
FOUND = 0.98  # the least probability with which a pair at the threshold shares a bucket

Integers = npt.NDArray[np.int64]
BandOf = Callable[[int], npt.NDArray[np.uint64]]
SignaturesOf = Callable[[Integers], npt.NDArray[np.uint32]]


def choose_bands(threshold: float, places: int) -> tuple[int, int]:
    """Return the number of bands, and of places a band, to find pairs above the threshold by.

    A pair of similarity s shares a bucket with probability 1 - (1 - s^r)^b, for b bands of r places. Bands are as wide as they
    can be, which spares comparisons of pairs below the threshold, while a pair at the threshold is found with FOUND at least.
    """
    for rows in range(places, 1, -1):
        bands = places // rows
        if 1 - (1 - threshold**rows) ** bands >= FOUND:
            return bands, rows
    return places, 1


def band_hashes(signatures: npt.NDArray[np.uint32], bands: int, rows: int) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each band of each signature, as an array of (bands, signatures)."""
    hashes = np.full((bands, len(signatures)), 0xCBF29CE484222325, dtype=np.uint64)
    for band in range(bands):
        for place in range(band * rows, (band + 1) * rows):
            hashes[band] = _mixed(hashes[band] ^ signatures[:, place])
    return hashes


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scatter the bits of 64-bit integers by the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclasses.dataclass(frozen=True)
class _Candidates:
    """The rows that share a bucket with others, sorted, and their signatures."""

    rows: Integers
    signatures: npt.NDArray[np.uint32]

    def of(self, rows: Integers) -> npt.NDArray[np.uint32]:
        return self.signatures[np.searchsorted(self.rows, rows)]


def cluster(count: int, bands: int, band_of: BandOf, signatures_of: SignaturesOf, threshold: float) -> Integers:
    """Return for each row the smallest number of a row in its cluster; a row alone has its own.

    Args:
        count: the number of rows.
        bands: the number of bands.
        band_of: gives the hashes of a band, one a row.
        signatures_of: gives the signatures of some rows, whose numbers come sorted.
        threshold: the least share of equal places.
    """
    shared = np.zeros(count, dtype=bool)
    for band in range(bands):
        order, starts, sizes = _buckets(band_of(band))
        shared[order[_positions(starts, sizes)]] = True
    rows = np.flatnonzero(shared)
    labels = np.arange(count)
    if not len(rows):
        return labels
    candidates = _Candidates(rows, signatures_of(rows))
    for band in range(bands):
        order, starts, sizes = _buckets(band_of(band))
        edges = [_pair_edges(order, starts[sizes == 2], candidates, labels, threshold)]
        for start, size in zip(starts[sizes > 2], sizes[sizes > 2], strict=True):
            members = order[start : start + size]
            if (labels[members] != labels[members[0]]).any():
                edges.append(_bucket_edges(members, candidates, threshold))
        labels = _united(labels, *(np.concatenate(side) for side in zip(*edges, strict=True)))
    return labels


def _buckets(hashes: npt.NDArray[np.uint64]) -> tuple[Integers, Integers, Integers]:
    """Return the order of the rows by hash, and in it the start and size of each bucket that holds several rows."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(ordered)), dtype=bool), ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(starts, len(ordered)))
    return order, starts[sizes > 1], sizes[sizes > 1]


def _positions(starts: Integers, sizes: Integers) -> Integers:
    """Return start, start + 1, ... up to each size, for all buckets in one array."""
    before = np.cumsum(sizes) - sizes
    return np.arange(sizes.sum()) + np.repeat(starts - before, sizes)


def _pair_edges(
    order: Integers, starts: Integers, candidates: _Candidates, labels: Integers, threshold: float
) -> tuple[Integers, Integers]:
    left, right = order[starts], order[starts + 1]
    apart = labels[left] != labels[right]
    left, right = left[apart], right[apart]
    alike = (candidates.of(left) == candidates.of(right)).mean(axis=1) >= threshold if len(left) else np.zeros(0, dtype=bool)
    return left[alike], right[alike]


def _bucket_edges(members: Integers, candidates: _Candidates, threshold: float) -> tuple[Integers, Integers]:
    """Compare the members of a bucket each with each, and return edges that bind those that belong together."""
    different, kinds = np.unique(candidates.of(members), axis=0, return_inverse=True)
    if len(different) > LARGEST_COMPARED:
        return np.full(len(members) - 1, members[0]), members[1:]
    least = np.ceil(threshold * different.shape[1] - 1e-9)
    links = [np.flatnonzero((different == one).sum(axis=1) >= least) for one in different]
    left = np.repeat(np.arange(len(different)), [len(link) for link in links])
    parts = _components(len(different), left, np.concatenate(links))[kinds.ravel()]
    first = np.zeros(len(different), dtype=np.int64)
    first[parts[::-1]] = members[::-1]
    return first[parts], members


def _components(count: int, left: Integers, right: Integers) -> Integers:
    # Imported here: it takes a quarter of a second, in each process that drops duplicates.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _united(labels: Integers, left: Integers, right: Integers) -> Integers:
    """Bind rows along edges, beside what the labels bind already."""
    if not len(left):
        return labels
    rows = np.arange(len(labels))
    parts = _components(len(labels), np.concatenate([rows, left]), np.concatenate([labels, right]))
    smallest = np.zeros(parts.max() + 1, dtype=np.int64)
    smallest[parts[::-1]] = rows[::-1]  # of several writes to one place the last one, of the smallest row, stays
    return smallest[parts]

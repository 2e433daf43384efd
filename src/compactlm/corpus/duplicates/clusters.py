"""Clusters of near-duplicates from MinHash signatures, by locality-sensitive hashing and connected components.

Rows that agree in all positions of a band fall into the same bucket of that band (Leskovec, Rajaraman and Ullman, Mining of Massive
Datasets, chapter 3). Two rows of a bucket are joined if their signatures agree in at least the share `threshold` of all positions. Memory
holds one band at a time (8 bytes per row, and arrays of row numbers), and the signatures of some pairs or of one large bucket.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

PAIRS = 20_000  # the number of pairs that are compared at a time
LARGEST_LISTED = 30  # the pairs of buckets with fewer rows are compared together; each larger bucket is compared alone
# All pairs of a bucket with up to this many different signatures are compared; all rows of a larger bucket are joined.
LARGEST_COMPARED = 2_000
FOUND = 0.98  # the least probability that a pair at the threshold shares a bucket

Integers = npt.NDArray[np.int64]
BandOf = Callable[[int], npt.NDArray[np.uint64]]
SignaturesOf = Callable[[Integers], npt.NDArray[np.uint32]]


def choose_bands(threshold: float, places: int) -> tuple[int, int]:
    """Return the number of bands and the number of positions per band.

    With b bands of r positions, a pair of similarity s shares a bucket with probability 1 - (1 - s^r)^b. Wide bands avoid comparisons of
    pairs below the threshold. The result is the widest choice that finds a pair at the threshold with probability FOUND or more.
    """
    for rows in range(places, 1, -1):
        bands = places // rows
        if 1 - (1 - threshold**rows) ** bands >= FOUND:
            return bands, rows
    return places, 1


def band_hashes(signatures: npt.NDArray[np.uint32], bands: int, rows: int) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each band of each signature, as an array of shape (bands, signatures)."""
    hashes = np.full((bands, len(signatures)), 0xCBF29CE484222325, dtype=np.uint64)
    for band in range(bands):
        for place in range(band * rows, (band + 1) * rows):
            hashes[band] = _mixed(hashes[band] ^ signatures[:, place])
    return hashes


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix the bits of 64-bit integers by the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def cluster(count: int, bands: int, band_of: BandOf, signatures_of: SignaturesOf, threshold: float) -> Integers:
    """Return for each of `count` rows the smallest row number in its cluster. For a row without duplicates this is its own number.

    `band_of` returns the hashes of a band, one per row. `signatures_of` returns the signatures of some rows, from their sorted row numbers.
    Two rows are joined if at least the share `threshold` of the positions of their signatures is equal.
    """
    labels = np.arange(count)
    for band in range(bands):
        order, starts, sizes = _buckets(band_of(band))
        small = sizes <= LARGEST_LISTED
        edges = [_alike(*pairs, signatures_of, labels, threshold) for pairs in _pairs(order, starts[small], sizes[small])]
        for start, size in zip(starts[~small], sizes[~small], strict=True):
            members = order[start : start + size]
            if (labels[members] != labels[members[0]]).any():
                edges.append(_bucket_edges(members, signatures_of, threshold))
        if edges:
            labels = join_rows(labels, *(np.concatenate(side) for side in zip(*edges, strict=True)))
    return labels


def _buckets(hashes: npt.NDArray[np.uint64]) -> tuple[Integers, Integers, Integers]:
    """Return the rows sorted by hash and, in this order, the start and size of each bucket with several rows."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(ordered)), dtype=bool), ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(starts, len(ordered)))
    return order, starts[sizes > 1], sizes[sizes > 1]


def _pairs(order: Integers, starts: Integers, sizes: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Yield the pairs of rows that share a bucket, a few buckets at a time."""
    for size in np.unique(sizes).tolist():
        left, right = np.triu_indices(size, 1)
        alike = starts[sizes == size]
        step = max(1, PAIRS // len(left))
        for first in range(0, len(alike), step):
            members = order[alike[first : first + step, None] + np.arange(size)]
            yield members[:, left].ravel(), members[:, right].ravel()


def _alike(left: Integers, right: Integers, signatures_of: SignaturesOf, labels: Integers, threshold: float) -> tuple[Integers, Integers]:
    """Return the pairs that are not joined yet and whose signatures agree in enough positions."""
    apart = labels[left] != labels[right]
    left, right = left[apart], right[apart]
    rows = np.unique(np.concatenate([left, right]))
    if not len(rows):
        return left, right
    signatures = signatures_of(rows)
    places = (signatures[np.searchsorted(rows, side)] for side in (left, right))
    alike = np.equal(*places).sum(axis=1) >= _least(threshold, signatures)
    return left[alike], right[alike]


def _least(threshold: float, signatures: npt.NDArray[np.uint32]) -> float:
    return math.ceil(threshold * signatures.shape[1] - 1e-9)


def _bucket_edges(members: Integers, signatures_of: SignaturesOf, threshold: float) -> tuple[Integers, Integers]:
    """Compare all pairs of the sorted members of a bucket, and return the edges that join near-duplicates."""
    different, kinds = np.unique(signatures_of(members), axis=0, return_inverse=True)
    if len(different) > LARGEST_COMPARED:
        return np.full(len(members) - 1, members[0]), members[1:]
    least = _least(threshold, different)
    links = [np.flatnonzero((different == one).sum(axis=1) >= least) for one in different]
    left = np.repeat(np.arange(len(different)), [len(link) for link in links])
    parts = _components(len(different), left, np.concatenate(links))[kinds.ravel()]
    first = np.zeros(len(different), dtype=np.int64)
    first[parts[::-1]] = members[::-1]
    return first[parts], members


def _components(count: int, left: Integers, right: Integers) -> Integers:
    # Imported late, because it takes a quarter of a second in each worker process.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def join_rows(labels: Integers, left: Integers, right: Integers) -> Integers:
    """Join rows along edges from `left` to `right`, and return the new labels.

    The label of a row is the smallest row number among all rows that it is joined with.
    """
    # A graph of only the rows on edges: one of all rows would take ten times the memory of the labels.
    touched, ends = np.unique(np.concatenate([labels[left], labels[right]]), return_inverse=True)
    parts = _components(len(touched), *np.split(ends, 2))
    smallest = np.zeros(len(touched), dtype=np.int64)
    smallest[parts[::-1]] = touched[::-1]  # NumPy keeps the last write to a position: the smallest row
    renamed = np.arange(len(labels))
    renamed[touched] = smallest[parts]
    return renamed[labels]

"""Clusters of near-duplicates from MinHash signatures: buckets by band, union-find over arrays of integers.

Rows that agree in all places of one band meet in that band's bucket (locality-sensitive hashing; Leskovec, Rajaraman and Ullman,
Mining of Massive Datasets, chapter 3); those in one bucket whose signatures agree in at least `threshold` of all places are
bound together. One band is held at a time (8 bytes a row, with arrays of row numbers), and of the signatures those of some pairs, or
of one large bucket.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

PAIRS = 20_000  # that are compared at a time
LARGEST_LISTED = 30  # rows of one bucket up to which its pairs are compared with those of others; a larger one is looked at by itself
# Different rows of one bucket are compared each with each up to this many; in a larger bucket all are bound together.
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


def cluster(count: int, bands: int, band_of: BandOf, signatures_of: SignaturesOf, threshold: float) -> Integers:
    """Return for each row the smallest number of a row in its cluster; a row alone has its own.

    Args:
        count: the number of rows.
        bands: the number of bands.
        band_of: gives the hashes of a band, one a row.
        signatures_of: gives the signatures of some rows, whose numbers come sorted.
        threshold: the least share of equal places.
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
            labels = united(labels, *(np.concatenate(side) for side in zip(*edges, strict=True)))
    return labels


def _buckets(hashes: npt.NDArray[np.uint64]) -> tuple[Integers, Integers, Integers]:
    """Return the order of the rows by hash, and in it the start and size of each bucket that holds several rows."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(ordered)), dtype=bool), ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(starts, len(ordered)))
    return order, starts[sizes > 1], sizes[sizes > 1]


def _pairs(order: Integers, starts: Integers, sizes: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Yield the pairs of rows that share a bucket, of some buckets at a time."""
    for size in np.unique(sizes).tolist():
        left, right = np.triu_indices(size, 1)
        alike = starts[sizes == size]
        step = max(1, PAIRS // len(left))
        for first in range(0, len(alike), step):
            members = order[alike[first : first + step, None] + np.arange(size)]
            yield members[:, left].ravel(), members[:, right].ravel()


def _alike(left: Integers, right: Integers, signatures_of: SignaturesOf, labels: Integers, threshold: float) -> tuple[Integers, Integers]:
    """Return the pairs that are not bound yet and whose signatures agree in enough places."""
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
    """Compare the members of a bucket, sorted, each with each, and return edges that bind those that belong together."""
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
    # Imported here: it takes a quarter of a second, in each process that drops duplicates.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def united(labels: Integers, left: Integers, right: Integers) -> Integers:
    """Bind rows along edges, beside what the labels bind already.

    Args:
        labels: for each row the smallest number of a row that it is bound to.
        left: a row at one end of each edge.
        right: the row at the other end.

    Returns:
        The labels after that.
    """
    # Only what the edges touch: a graph of all rows would take ten times the memory of their labels.
    touched, ends = np.unique(np.concatenate([labels[left], labels[right]]), return_inverse=True)
    parts = _components(len(touched), *np.split(ends, 2))
    smallest = np.zeros(len(touched), dtype=np.int64)
    smallest[parts[::-1]] = touched[::-1]  # of several writes to one place the last one, of the smallest row, stays
    renamed = np.arange(len(labels))
    renamed[touched] = smallest[parts]
    return renamed[labels]

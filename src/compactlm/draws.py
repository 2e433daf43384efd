"""Random draws that depend only on the seed and on names, such as the id of a row.

A draw is the same in every process and on every machine. It does not depend on other rows, their order or their division into shards. The
first part of a draw is its purpose, so two steps with the same seed draw independently.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from compactlm.artifacts import Document

Item = TypeVar("Item")


def draw_bits(*parts: object) -> int:
    """Return a 64-bit number that depends only on `parts`."""
    return int.from_bytes(hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def draw_share(*parts: object) -> float:
    """Return a number in [0, 1) that depends only on `parts`."""
    return (draw_bits(*parts) >> 11) / 2**53


def draw_generator(*parts: object) -> random.Random:
    """Return a random generator whose seed depends only on `parts`."""
    return random.Random(draw_bits(*parts))


def draw_column(names: Iterable[str], *parts: object) -> npt.NDArray[np.uint64]:
    """Return `draw_bits(*parts, name)` for each name, as an array."""
    start = "".join(f"{part}\0" for part in parts)
    packed = b"".join(hashlib.blake2b(f"{start}{name}".encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(packed, dtype=">u8").astype(np.uint64)


def draw_items(items: Iterable[Item], count: int, *parts: object, key: Callable[[Item], str]) -> list[Item]:
    """Return the `count` items with the smallest draws (all items if there are fewer), smallest first.

    Args:
        items: the items.
        count: the number of items to draw.
        parts: the purpose of the draw and the seed.
        key: the name of an item.
    """
    return heapq.nsmallest(count, items, key=lambda item: (draw_bits(*parts, key(item)), key(item)))


def sample(rows: Sequence[Document], size: int, seed: int) -> list[Document]:
    """Return at most `size` rows drawn by seed and id, sorted by id."""
    return sorted(draw_items(rows, size, "sample", seed, key=lambda row: row.id), key=lambda row: row.id)


class DrawnUntil(Generic[Item]):
    """The items of a stream with the smallest draws, until their sizes add up to a total.

    Args:
        total: the sum of sizes that is enough.
        least: the number of items to keep even if fewer would be enough.
        parts: the purpose of the draw and the seed.
    """

    def __init__(self, total: int, *parts: object, least: int = 1) -> None:
        self._total, self._parts, self._least = total, parts, least
        self._kept: list[tuple[int, str, int, Item]] = []  # a heap whose first entry has the largest draw
        self._held = 0

    def add(self, name: str, size: int, item: Item) -> None:
        """Add an item, and drop the items with the largest draws if they are no longer needed."""
        heapq.heappush(self._kept, (-draw_bits(*self._parts, name), name, size, item))
        self._held += size
        while len(self._kept) > self._least and self._held - self._kept[0][2] >= self._total:
            self._held -= heapq.heappop(self._kept)[2]

    def items(self) -> list[Item]:
        """Return the kept items, smallest draw first."""
        return [item for _, _, _, item in sorted(self._kept, key=lambda kept: (-kept[0], kept[1]))]

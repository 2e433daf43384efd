"""Keys of 16 bytes, for a corpus of which no more than that can be held of each row."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Keys = npt.NDArray[np.uint64]
KEY_BYTES = 16
KEY = pa.field("key", pa.binary(KEY_BYTES))  # of a row's text, in working shards whose duplicates are not out yet


def pack(names: Iterable[str]) -> Keys:
    """Return names of 32 hexadecimal digits as an array of (names, 2)."""
    packed = bytearray()
    for name in names:
        packed += bytes.fromhex(name)
    return as_keys(packed)


def as_keys(packed: bytes | bytearray) -> Keys:
    """Return keys that follow each other, 16 bytes each, as an array of (keys, 2)."""
    return np.frombuffer(packed, dtype=np.uint64).reshape(-1, 2)


def equal_to_another(keys: Keys) -> npt.NDArray[np.bool_]:
    """Tell for each key whether another is equal."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    first = first_of_equals(keys[order])
    shared = np.zeros(len(keys), dtype=bool)
    shared[order] = ~first | ~np.append(first[1:], True)
    return shared


def first_of_equals(ordered: Keys) -> npt.NDArray[np.bool_]:
    """Tell for each of keys in order whether it differs from the one before."""
    return np.append(np.ones(min(len(ordered), 1), dtype=bool), (ordered[1:] != ordered[:-1]).any(axis=1))

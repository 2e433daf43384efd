"""Keys of 16 bytes, which identify the rows of a corpus that does not fit into memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Keys = npt.NDArray[np.uint64]
KEY_BYTES = 16
KEY = pa.field("key", pa.binary(KEY_BYTES))  # the key of a row's text; working shards have it while they may hold duplicates


def hash_key(value: str) -> bytes:
    """Return the key of a string."""
    return hashlib.blake2b(value.encode(), digest_size=KEY_BYTES).digest()


def pack(names: Iterable[str]) -> Keys:
    """Return names of 32 hexadecimal digits as an array of shape (names, 2)."""
    packed = bytearray()
    for name in names:
        packed += bytes.fromhex(name)
    return as_keys(packed)


def as_keys(packed: bytes | bytearray) -> Keys:
    """Return consecutive keys of 16 bytes as an array of shape (keys, 2)."""
    return np.frombuffer(packed, dtype=np.uint64).reshape(-1, 2)


def equal_to_another(keys: Keys) -> npt.NDArray[np.bool_]:
    """Return for each key whether another key is equal to it."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    first = first_of_equals(keys[order])
    shared = np.zeros(len(keys), dtype=bool)
    shared[order] = ~first | ~np.append(first[1:], True)
    return shared


def number_keys(keys: Keys) -> npt.NDArray[np.int64]:
    """Return a number for each key; equal keys have equal numbers."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    numbers = np.zeros(len(keys), dtype=np.int64)
    numbers[order] = np.cumsum(first_of_equals(keys[order])) - 1
    return numbers


def first_of_equals(ordered: Keys) -> npt.NDArray[np.bool_]:
    """Return for each key of a sorted array whether it differs from the previous key."""
    return np.append(np.ones(min(len(ordered), 1), dtype=bool), (ordered[1:] != ordered[:-1]).any(axis=1))

"""Draws that depend on a seed and a row's id alone, and so neither on the other rows nor on where they are made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from compactlm.artifacts import Document


def row_seed(*parts: object) -> int:
    """Return 64 bits that depend on `parts` alone, the same in every process and on every machine."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "big")


def sample(rows: Sequence[Document], size: int, seed: int) -> list[Document]:
    """Return at most `size` rows drawn by (seed, id), sorted by id."""
    drawn = sorted(rows, key=lambda row: (row_seed("sample", seed, row.id), row.id))[:size]
    return sorted(drawn, key=lambda row: row.id)


def draw_order(seed: int, name: str) -> bytes:
    """Return a sort key that puts names in a random order. It depends on the seed and the name alone."""
    return hashlib.blake2b(f"{seed}/{name}".encode()).digest()

"""Some of the dropped texts, for the eye: drawn by seed and id, so that they are the same however the shards were cut."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

SHOWN_CHARACTERS = 200
Samples = dict[str, list[list[str]]]


def drawn(seed: int, name: str, text: str) -> list[str]:
    """Return a dropped text, shortened, after the number that decides whether it is shown: 16 hexadecimal digits."""
    return [hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).hexdigest(), text[:SHOWN_CHARACTERS]]


def smallest_samples(parts: Iterable[Samples], count: int) -> Samples:
    """Return of each kind the samples with the smallest drawn numbers, whatever the shards that they come from."""
    together: defaultdict[str, list[list[str]]] = defaultdict(list)
    for part in parts:
        for kind, found in part.items():
            together[kind] += found
    return {kind: sorted(found)[:count] for kind, found in sorted(together.items())} if count else {}

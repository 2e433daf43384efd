"""The range of seeds that all random generators accept."""

from __future__ import annotations

from compactlm.errors import CompactLMError

LARGEST = 2**32 - 1


def check_seed(seed: int) -> None:
    """Raise CompactLMError if a seed is outside 0 to 2**32 - 1."""
    if not 0 <= seed <= LARGEST:
        raise CompactLMError(f"the seed is {seed}; pass one from 0 to {LARGEST}")

"""Seeds that every generator of random numbers takes."""

from __future__ import annotations

from compactlm.errors import CompactLMError

GREATEST = 2**32 - 1


def check_seed(seed: int) -> None:
    """Raise CompactLMError where a seed is not one that every generator takes."""
    if not 0 <= seed <= GREATEST:
        raise CompactLMError(f"the seed is {seed}; give one from 0 to {GREATEST}")

"""Filters by regular expressions from params.yaml."""

from __future__ import annotations

from compactlm.corpus.clean.filters.base import Dropped
from compactlm.text.expressions import BoundedExpression


def drop_where_found(text: str, pattern: BoundedExpression, reason: str) -> str | Dropped:
    """Drop a text in which the pattern occurs.

    Raises:
        CompactLMError: the search takes too long.
    """
    return Dropped(reason) if pattern.found_in(text) else text


def replace(text: str, pattern: BoundedExpression, replacement: str) -> str:
    """Replace each match of the pattern by `replacement`, which is taken literally.

    Raises:
        CompactLMError: the search takes too long.
    """
    return pattern.replace(text, replacement)

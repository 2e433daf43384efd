"""Filters by a regular expression of one's own."""

from __future__ import annotations

import re

from compactlm.corpus.clean.filters.base import Dropped


def drop_where_found(text: str, pattern: re.Pattern[str], reason: str) -> str | Dropped:
    """Drop a text in which the pattern is found."""
    return Dropped(reason) if pattern.search(text) else text


def replace(text: str, pattern: re.Pattern[str], replacement: str) -> str:
    """Put `replacement`, as it stands, in the place of whatever the pattern matches."""
    return pattern.sub(lambda _: replacement, text)

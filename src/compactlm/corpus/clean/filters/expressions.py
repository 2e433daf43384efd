"""Filters by regular expressions from params.yaml."""

from __future__ import annotations

import re

from compactlm.corpus.clean.filters.base import Dropped


def drop_where_found(text: str, pattern: re.Pattern[str], reason: str) -> str | Dropped:
    """Drop a text in which the pattern occurs."""
    return Dropped(reason) if pattern.search(text) else text


def replace(text: str, pattern: re.Pattern[str], replacement: str) -> str:
    """Replace each match of the pattern by `replacement`, which is taken literally."""
    return pattern.sub(lambda _: replacement, text)

"""Filters that drop a text because it repeats itself, by the rules of Gopher (Rae et al. 2021, https://arxiv.org/abs/2112.11446)."""

from __future__ import annotations

from compactlm.corpus.clean.filters.base import Dropped

REPEATED_LINES = "repeated_lines"
REPEATED_NGRAMS = "repeated_ngrams"


def without_repeated_lines(text: str, maximum_share: float) -> str | Dropped:
    """Drop a text if more than `maximum_share` of its lines repeat an earlier line; blank lines do not count."""
    if "\n" not in text:
        return text
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    return Dropped(REPEATED_LINES) if _share_repeated(lines) > maximum_share else text


def without_repeated_ngrams(text: str, size: int, maximum_share: float, minimum_words: int) -> str | Dropped:
    """Drop a text if more than `maximum_share` of its runs of `size` words repeat an earlier run, ignoring case."""
    words = text.casefold().split()
    if len(words) < max(minimum_words, size):
        return text
    ngrams = list(zip(*(words[offset:] for offset in range(size)), strict=False))
    return Dropped(REPEATED_NGRAMS) if _share_repeated(ngrams) > maximum_share else text


def _share_repeated(items: list[str] | list[tuple[str, ...]]) -> float:
    return 1 - len(set(items)) / len(items) if items else 0.0

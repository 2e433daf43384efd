"""One text or a pair of texts as a sequence of token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def single_ids(segmenter: Any, tokens: Sequence[int], maximum_length: int) -> tuple[list[int], None]:
    """Return [CLS] text [SEP] of at most `maximum_length` tokens, and None, because there is no second text."""
    return [segmenter.cls, *tokens[: maximum_length - 2], segmenter.sep], None


def pair_ids(segmenter: Any, first: Sequence[int], second: Sequence[int], maximum_length: int) -> tuple[list[int], int]:
    """Return [CLS] first [SEP] second [SEP], and the position of the first token of the second text.

    If the pair has more than `maximum_length` tokens, the longer text is cut at its end (`longest_first` of the tokenizers library).
    """
    kept = lengths_of_pair(len(first), len(second), maximum_length - 3)
    ids = [segmenter.cls, *first[: kept[0]], segmenter.sep, *second[: kept[1]], segmenter.sep]
    return ids, kept[0] + 2


def lengths_of_pair(first: int, second: int, allowed: int) -> tuple[int, int]:
    """Return how many tokens of both texts are kept, together at most `allowed`: the longer text is cut first, down to the shorter one."""
    if first + second <= allowed:
        return first, second
    half = allowed // 2
    if min(first, second) <= half:
        return (first, allowed - first) if first <= second else (allowed - second, second)
    return (half, allowed - half) if first <= second else (allowed - half, half)

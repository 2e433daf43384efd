"""One masked token a row, to ask a masked language model something that it was trained to answer."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class MaskedRow:
    """A row's token ids with one of them masked, at which position, and which token stood there."""

    input_ids: list[int]
    position: int
    expected: int


def mask_one(input_ids: Sequence[int], mask: int, key: str) -> MaskedRow:
    """Mask one token of a row, drawn by `key`, but neither the first nor the last, which are [CLS] and [SEP].

    A row of these two alone has its last masked.
    """
    position = random.Random(key).randrange(1, max(len(input_ids) - 1, 2))
    masked = list(input_ids)
    masked[position] = mask
    return MaskedRow(masked, position, input_ids[position])

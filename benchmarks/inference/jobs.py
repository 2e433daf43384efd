"""A measurement in one process. Imports no torch, so that the parent process stays small."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

Backend = Literal["torch", "onnx"]

BATCHES = (1, 32)
LENGTHS = (16, 128, 512)
BAR = (1, 128)  # the batch size and the length of the target speeds


@dataclasses.dataclass(frozen=True)
class Contender:
    """A classifier to measure.

    Attributes:
        name: the name in the tables.
        backend: torch or onnx.
        directory: has the weights and the tokenizer.
        file: the ONNX file in `directory`; empty for torch.
        bar: target speed-up over the first contender at `BAR`, on one core; 0 for none.
    """

    name: str
    backend: Backend
    directory: str
    file: str = ""
    bar: int = 0


@dataclasses.dataclass(frozen=True)
class Job:
    """A cold start of a contender, or its points (batch size and length, by growing memory) for `seconds` each."""

    contender: Contender
    threads: int
    seconds: float
    points: Sequence[tuple[int, int]] = ()
    cold: bool = False

"""Measurements in one process. This module imports no torch, so that the parent process stays small."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

BATCHES = (1, 32)
LENGTHS = (16, 128, 512)
BAR = (1, 128)  # the batch size and the length of the target speeds


@dataclasses.dataclass(frozen=True)
class Contender:
    """A classifier to measure."""

    name: str
    backend: Literal["torch", "onnx"]
    directory: str  # with the weights and the tokenizer
    file: str = ""  # the ONNX file in the directory; empty for torch
    bar: int = 0  # the target speed-up over the first contender at `BAR`, on one core; 0 for none


@dataclasses.dataclass(frozen=True)
class Job:
    """A cold start of a contender, or measurements of `seconds` each.

    `sizes` are the batch size and the length of each measurement. Memory grows from one to the next.
    """

    contender: Contender
    threads: int
    seconds: float
    sizes: Sequence[tuple[int, int]] = ()
    cold: bool = False

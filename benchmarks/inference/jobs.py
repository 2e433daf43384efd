"""What is measured: one job a process. Without torch, so that the process that starts the others stays small."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

Backend = Literal["torch", "onnx"]

BATCHES = (1, 32)
LENGTHS = (16, 128, 512)
BAR = (1, 128)  # the batch and the length at which the bars are set


@dataclasses.dataclass(frozen=True)
class Contender:
    """A classifier in a form that answers.

    Attributes:
        name: what the tables call it.
        backend: what runs it.
        directory: where its weights and tokenizer lie.
        file: the ONNX file in `directory`; empty for torch.
        bar: how many times as fast as the first contender it has to be at `BAR`, on one core; 0 for no bar.
    """

    name: str
    backend: Backend
    directory: str
    file: str = ""
    bar: int = 0


@dataclasses.dataclass(frozen=True)
class Job:
    """One process: a cold start, or the points (batch size and length, by growing memory) of a contender for `seconds` each."""

    contender: Contender
    threads: int
    seconds: float
    points: tuple[tuple[int, int], ...] = ()
    cold: bool = False

    def dump(self) -> str:
        """Return it as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def load(cls, text: str) -> Job:
        """Return the job of some JSON."""
        content: dict[str, Any] = json.loads(text)
        points = tuple((batch, length) for batch, length in content["points"])
        return cls(**{**content, "contender": Contender(**content["contender"]), "points": points})

"""What is measured: one job a process. Without torch, so that the process that starts the others stays small."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

Kind = Literal["machine", "plain", "packed", "textbrewer", "online", "cache", "cached"]
Phase = Literal["general", "task"]
Vocabulary = Literal["default", "full"]
Part = Literal["none", "dense", "dropout", "padding", "bf16"]

NAMES: dict[Kind, str] = {
    "machine": "matrix product",
    "plain": "plain Trainer",
    "packed": "plain Trainer, text packed",
    "textbrewer": "TextBrewer",
    "online": "ours, online",
    "cache": "writing the cache",
    "cached": "ours, cached",
}
PARTS: dict[Part, str] = {
    "dense": "logits at every position, not at masked ones alone",
    "dropout": "dropout 0.1, not 0",
    "padding": "every batch padded to the maximum length, not grouped by length",
    "bf16": "bf16 autocast, not fp32",
}


@dataclasses.dataclass(frozen=True)
class Job:
    """One process. `part` is the one measure that is taken back in ours; `directory` holds the caches of a run."""

    kind: Kind
    threads: int
    seconds: float
    sequences: int
    directory: str
    phase: Phase = "general"
    vocabulary: Vocabulary = "default"
    part: Part = "none"
    profile: bool = False

    @property
    def cache(self) -> str:
        """The name of its cache in `directory`."""
        return f"{self.phase}-{self.vocabulary}"

    @property
    def title(self) -> str:
        """What it is called while it runs."""
        if self.kind == "machine":
            return NAMES[self.kind]
        extra = [PARTS[self.part]] if self.part != "none" else []
        extra += ["step by step"] if self.profile else []
        return ": ".join([f"{self.phase}, {self.vocabulary} vocabulary", "; ".join([NAMES[self.kind], *extra])])

    def dump(self) -> str:
        """Return it as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def load(cls, text: str) -> Job:
        """Return the job of some JSON."""
        content: dict[str, Any] = json.loads(text)
        return cls(**content)

"""Jobs, each for one process. This module imports no torch, so that the parent process stays small."""

import dataclasses
from typing import Literal

ROWS = 64  # of a batch of sentence-transformers, as in its example
STATIC = "static.safetensors"  # the static table; the same as in compactlm.distillation.embedding_inputs

Kind = Literal["machine", "plain", "packed", "textbrewer", "sentence-transformers", "online", "cache", "cached", "table", "tokens"]
Phase = Literal["general", "embedding", "task"]
Vocabulary = Literal["default", "full"]
Part = Literal["none", "dense", "dropout", "padding", "bf16"]

NAMES: dict[Kind, str] = {
    "machine": "matrix product",
    "plain": "plain Trainer",
    "packed": "plain Trainer, text packed",
    "textbrewer": "TextBrewer",
    "sentence-transformers": "sentence-transformers, MSELoss",
    "online": "compactlm, online",
    "cache": "writing the cache",
    "cached": "compactlm, cached",
    "table": "compactlm, cached, the table alone",
    "tokens": "compactlm, cached, token vectors",
}
PARTS: dict[Part, str] = {
    "dense": "logits at every position, not only at masked ones",
    "dropout": "dropout 0.1, not 0",
    "padding": "every batch padded to the maximum length, not grouped by length",
    "bf16": "bf16 autocast, not fp32",
}


@dataclasses.dataclass(frozen=True)
class Job:
    """One job. `part` is the optimisation that compactlm runs without; `directory` has the caches of a run."""

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
        """The name of the job's cache in `directory`."""
        return f"{self.phase}-{self.vocabulary}"

    @property
    def title(self) -> str:
        """The job's name for people."""
        if self.kind == "machine":
            return NAMES[self.kind]
        extra = [PARTS[self.part]] if self.part != "none" else []
        extra += ["step by step"] if self.profile else []
        return ": ".join([f"{self.phase}, {self.vocabulary} vocabulary", "; ".join([NAMES[self.kind], *extra])])

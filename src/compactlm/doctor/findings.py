"""What a check finds: a fault, or why it cannot judge."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Fault:
    """Something that is wrong with the run.

    Attributes:
        name: a few words, such as "frozen weights".
        sentence: what is wrong, where, and how to fix it.
    """

    name: str
    sentence: str


@dataclasses.dataclass(frozen=True)
class Unjudged:
    """A check without an answer, such as one that needs an artifact which is missing."""

    sentence: str


Finding = Fault | Unjudged

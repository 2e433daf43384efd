"""The findings of a check: a fault, or the reason why it cannot judge."""

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
    """A check that cannot judge, for example because an artifact is missing."""

    sentence: str


Finding = Fault | Unjudged

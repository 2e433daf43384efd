"""What a model reads and should give: sequences of token ids with their targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy.typing as npt

IGNORED = -100  # a target that no loss reads
UNLABELLED = -1  # a token that the soft loss reads, but that has no label for the hard loss
NOWHERE = (-1, -1)  # the place of a token that answers nothing

Array = npt.NDArray[Any]
Settings = Mapping[str, Any]
Target = list[float]


class Segmenter(Protocol):
    """A tokenizer. Texts are never truncated, and get no special tokens."""

    @property
    def cls(self) -> int: ...  # noqa: D102
    @property
    def sep(self) -> int: ...  # noqa: D102
    @property
    def unknown(self) -> int: ...  # noqa: D102

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        ...

    def offsets(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Return the first character of each token of each text, and the first character after it."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A sequence of a row. A row has one, or several if it is longer than the model reads.

    Attributes:
        input_ids: token ids, special tokens included.
        second: the position of the first token of the second text; None without one. Token types are 1 from there on.
        target: numbers in the form of the kind; None for an unlabelled row.
        places: what each token answers for, a pair of positions in the row (words or characters); NOWHERE for other tokens. None if they
            were not asked for, or if the model gives one output a sequence.
    """

    input_ids: list[int]
    second: int | None = None
    target: Target | None = None
    places: list[tuple[int, int]] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """What is chosen on validation rows once a model is trained.

    Attributes:
        thresholds: the probability of each output from which it counts, to be folded into the head's bias
            (compactlm.bert.folding.fold_thresholds); None changes nothing.
        config: keys for config.json.
        metrics: nested numbers for the metrics of the stage.
    """

    thresholds: Sequence[float] | None = None
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, Any] = dataclasses.field(default_factory=dict)

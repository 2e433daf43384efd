"""The base class of losses of sentence vectors.

A new loss is a subclass of SentenceLoss, a line in embedding_losses.EMBEDDING_LOSSES and a section in params.EmbeddingDistillation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class Vectors:
    """The vectors of a batch of texts, of pairs of texts that belong together, or of triples (anchor, right text, wrong text).

    Attributes:
        own: the student's vectors, float [rows, width], each of length 1. The first texts of all items come first, then the second texts,
            and so on.
        teacher: the teacher's vectors of the same texts, float [rows, teacher's width], each of length 1; None for triples.
        parts: the number of texts of an item, 1 to 3.
        partners: a number for each second text, int64 [items]; equal texts have equal numbers. None if the items have one text.
    """

    own: torch.Tensor
    teacher: torch.Tensor | None
    parts: int = 1
    partners: torch.Tensor | None = None

    def texts(self) -> Sequence[torch.Tensor]:
        """Return the student's vectors of the first texts, of the second texts, and so on, each float [items, width]."""
        return self.own.chunk(self.parts)


class SentenceLoss(torch.nn.Module):
    """A loss of sentence vectors."""

    needs_teacher = True  # whether the loss compares with the teacher's vectors
    parts: tuple[int, ...] = (1, 2)  # the kinds of items that the loss learns from

    def __init__(self, params: Any, width: int, components: torch.Tensor) -> None:  # noqa: ARG002 - subclasses need them
        """Take the loss's section of params.yaml, the width of the student's vectors, and the teacher's principal components.

        `components` is float [components, teacher's width], the strongest first. There are at least min(`width`, teacher's width) of them.
        """
        super().__init__()
        self.params = params

    def forward(self, vectors: Vectors) -> torch.Tensor:
        """Return the loss of a batch, a scalar."""
        raise NotImplementedError


def teacher_of(vectors: Vectors) -> torch.Tensor:
    """Return the teacher's vectors of a batch, which must have some."""
    assert vectors.teacher is not None  # noqa: S101 - the objective calls these losses for such batches only
    return vectors.teacher.detach().float()


def unit(vectors: torch.Tensor) -> torch.Tensor:
    """Scale each vector to length 1; vectors of zeros stay zeros."""
    return functional.normalize(vectors, dim=-1)


def pad_components(components: torch.Tensor, width: int) -> torch.Tensor:
    """Return the `width` strongest components, float [width, teacher's width]; missing ones are zeros."""
    padded = components.new_zeros(width, components.shape[1])
    padded[: len(components)] = components[:width]
    return padded

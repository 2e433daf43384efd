"""The number of a student's parameters, computed from its shape without building it."""

from __future__ import annotations

from typing import Protocol


class StudentShape(Protocol):
    """The shape of a student, as the section `student` of params.yaml has it."""

    @property
    def layers(self) -> int: ...  # noqa: D102
    @property
    def hidden_size(self) -> int: ...  # noqa: D102
    @property
    def intermediate_size(self) -> int: ...  # noqa: D102
    @property
    def maximum_positions(self) -> int: ...  # noqa: D102


def parameters_of(shape: StudentShape, vocabulary_size: int, labels: int = 2) -> int:
    """Return the parameters of the larger of the student's two forms, masked language model and classifier."""
    return max(fixed + vocabulary_size * per_token for fixed, per_token in _forms(shape, labels))


def fitting_vocabulary(shape: StudentShape, allowed: int, labels: int = 2) -> int:
    """Return the largest vocabulary with which the student has at most `allowed` parameters; it may be negative."""
    return min((allowed - fixed) // per_token for fixed, per_token in _forms(shape, labels))


def _forms(shape: StudentShape, labels: int) -> list[tuple[int, int]]:
    """Return, for both forms, the parameters that do not depend on the vocabulary and the parameters per token."""
    hidden, inner = shape.hidden_size, shape.intermediate_size
    embeddings = (shape.maximum_positions + 2) * hidden + 2 * hidden
    attention = 4 * (hidden * hidden + hidden) + 2 * hidden
    feed_forward = hidden * inner + inner + inner * hidden + hidden + 2 * hidden
    body = embeddings + shape.layers * (attention + feed_forward)
    dense = hidden * hidden + hidden
    return [(body + dense + 2 * hidden, hidden + 1), (body + dense + labels * (hidden + 1), hidden)]

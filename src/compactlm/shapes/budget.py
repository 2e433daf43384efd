"""The number of a student's parameters, computed from its shape without building it, and the budget for it.

A shape is the section `student` of params.yaml (params.Student).
"""

from __future__ import annotations

from typing import Any

from compactlm.errors import CompactLMError

SMALLEST_VOCABULARY = 100


def parameters_of(shape: Any, vocabulary_size: int, labels: int = 2, width: int | None = None) -> int:
    """Return the number of parameters of the largest form of the student: masked language model, classifier or sentence encoder.

    `width` is the width of the sentence vectors, or None without a sentence encoder.
    """
    return max(fixed + vocabulary_size * per_token for fixed, per_token in _forms(shape, labels, width))


def fitting_vocabulary(shape: Any, allowed: int, labels: int = 2, width: int | None = None) -> int:
    """Return the largest vocabulary size for which each form has at most `allowed` parameters. It may be negative."""
    return min((allowed - fixed) // per_token for fixed, per_token in _forms(shape, labels, width))


def sentence_width(shape: Any, enabled: bool | str, width: int | None) -> int | None:
    """Return the width of the student's sentence vectors by params.yaml; None if the phase embedding certainly does not run.

    `enabled: auto` depends on the teacher, so the student is counted as if the phase runs.
    """
    return None if enabled is False else width or int(shape.hidden_size)


def choose_vocabulary_size(shape: Any, teacher_parameters: int, labels: int, width: int | None = None) -> int:
    """Return the size of the student's vocabulary: the value in params.yaml, or the largest size that the budget allows.

    Raises:
        CompactLMError: the budget leaves no room for a vocabulary.
    """
    if shape.vocabulary_size != "fit":
        return int(shape.vocabulary_size)
    size = fitting_vocabulary(shape, int(teacher_parameters * shape.budget), labels, width)
    if size < SMALLEST_VOCABULARY:
        raise CompactLMError(
            f"student.budget is {shape.budget:.0%} of the teacher's {teacher_parameters:,} parameters, which leaves no room for a "
            "vocabulary (student.vocabulary_size: fit); lower student.layers or student.hidden_size"
        )
    return size


def check_budget(student_parameters: int, teacher_parameters: int, budget: float) -> None:
    """Raise CompactLMError if the student has more than the share `budget` of the teacher's parameters."""
    allowed = int(teacher_parameters * budget)
    if student_parameters > allowed:
        raise CompactLMError(
            f"the student has {student_parameters:,} parameters, but student.budget allows {allowed:,} ({budget:.0%} of the teacher's "
            f"{teacher_parameters:,}); set student.vocabulary_size to fit, or lower student.layers or student.hidden_size"
        )


def _forms(shape: Any, labels: int, width: int | None) -> list[tuple[int, int]]:
    """Return, for each form, the parameters that do not depend on the vocabulary and the parameters per token."""
    hidden, inner = shape.hidden_size, shape.intermediate_size
    embeddings = (shape.maximum_positions + 2) * hidden + 2 * hidden
    attention = 4 * (hidden * hidden + hidden) + 2 * hidden
    feed_forward = hidden * inner + inner + inner * hidden + hidden + 2 * hidden
    body = embeddings + shape.layers * (attention + feed_forward)
    dense = hidden * hidden + hidden
    forms = [(body + dense + 2 * hidden, hidden + 1), (body + dense + labels * (hidden + 1), hidden)]
    return forms if width is None else [*forms, (body + hidden * width + width, hidden)]

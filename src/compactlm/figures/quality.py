"""How good a model is at a task, and how much of the teacher's quality a student keeps."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.metrics import accuracy_score


def accuracy(labels: Sequence[int], predictions: Sequence[int]) -> float:
    """Return the share of rows that are predicted right, 0 to 1."""
    return float(accuracy_score(labels, predictions))


def chance(labels: Sequence[int]) -> float:
    """Return the accuracy of always predicting the most frequent label of these rows."""
    return max(labels.count(label) for label in set(labels)) / len(labels)


def retention(student: float, teacher: float) -> float:
    """Return the student's quality as a share of the teacher's; nan where the teacher's is 0."""
    return student / teacher if teacher else float("nan")


def retention_above_chance(student: float, teacher: float, by_chance: float) -> float:
    """Return the same after subtracting what guessing reaches from both; nan where the teacher does not beat guessing."""
    return (student - by_chance) / (teacher - by_chance) if teacher > by_chance else float("nan")


def compare(expected: Sequence[int], teacher: Sequence[int], student: Sequence[int]) -> dict[str, float]:
    """Return accuracy of teacher and student on the same rows, chance, both retentions, agreement and the rows' number.

    Args:
        expected: label ids.
        teacher: the teacher's predictions for the same rows.
        student: the student's.
    """
    by_teacher, by_student, by_chance = accuracy(expected, teacher), accuracy(expected, student), chance(expected)
    return {
        "rows": len(expected),
        "teacher": by_teacher,
        "student": by_student,
        "chance": by_chance,
        "retention": retention(by_student, by_teacher),
        "retention_above_chance": retention_above_chance(by_student, by_teacher, by_chance),
        "agreement": accuracy(teacher, student),
    }

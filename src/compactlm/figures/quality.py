"""The accuracy of a model, and the share of the teacher's accuracy that a student retains."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.metrics import accuracy_score


def accuracy(labels: Sequence[int], predictions: Sequence[int]) -> float:
    """Return the share of rows with a correct prediction, 0 to 1."""
    return float(accuracy_score(labels, predictions))


def chance(labels: Sequence[int]) -> float:
    """Return the accuracy of a baseline that always predicts the most frequent label of these rows."""
    return max(labels.count(label) for label in set(labels)) / len(labels)


def retention(student: float, teacher: float) -> float:
    """Return the student's quality as a share of the teacher's; nan if the teacher's is 0."""
    return student / teacher if teacher else float("nan")


def retention_above_chance(student: float, teacher: float, by_chance: float) -> float:
    """Return the retention after subtracting the accuracy of chance from both; nan if the teacher is not better than chance."""
    return (student - by_chance) / (teacher - by_chance) if teacher > by_chance else float("nan")


def headline_figures(expected: Sequence[int], teacher: Sequence[int], student: Sequence[int]) -> dict[str, float]:
    """Return the headline figures of a task, from label ids: rows, accuracy of both models, chance, both retentions, and agreement."""
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

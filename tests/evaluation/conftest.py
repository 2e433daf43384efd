"""Answers of two models without any model: labels and probabilities drawn by skill."""

import numpy as np
import pytest

from compactlm.evaluation.comparison import Answers
from compactlm.student.vocabulary import build_tokenizer


@pytest.fixture(scope="session")
def gone():
    """Words of the teacher's vocabulary that the student's lacks."""
    return {"film", "dog", "good"}


@pytest.fixture(scope="session")
def student(tiny_tokenizer, tiny_pieces, gone):
    """A tokenizer that spells these in fragments."""
    return build_tokenizer(tiny_tokenizer, [piece for piece in tiny_pieces if piece not in gone], 64)


@pytest.fixture(scope="session")
def texts(tiny_texts):
    return {f"row{at:03d}": text for at, text in enumerate(tiny_texts)}


def _answers(expected, teacher, student, texts=None, sources=None):
    rows = len(expected)
    return Answers(
        ids=tuple(f"row{at:04d}" for at in range(rows)),
        texts=tuple(texts or [f"text number {at}" for at in range(rows)]),
        sources=tuple(sources or ["reviews"] * rows),
        expected=np.array(expected, dtype=np.int64),
        probabilities={"teacher": np.array(teacher, dtype=np.float64), "student": np.array(student, dtype=np.float64)},
    )


def _draw(expected, labels, skill, generator):
    exponentials = np.exp(generator.normal(size=(len(expected), labels)) + skill * np.eye(labels)[expected])
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.fixture(scope="session")
def make_answers():
    """A function from labels and the probabilities of both models to answers."""
    return _answers


@pytest.fixture(scope="session")
def with_right():
    """A function from which rows of two labels in turn each model has right to answers."""

    def build(teacher, student, **more):
        def sure(right):
            return [[0.9, 0.1] if (at % 2 == 0) == bool(one) else [0.1, 0.9] for at, one in enumerate(right)]

        return _answers([at % 2 for at in range(len(teacher))], sure(teacher), sure(student), **more)

    return build


@pytest.fixture(scope="session")
def two_models():
    """A function from a number of rows to answers of a good teacher and a poorer student."""

    def build(rows, labels=2, seed=1, **more):
        generator = np.random.default_rng(seed)
        expected = generator.integers(0, labels, rows)
        return _answers(expected, _draw(expected, labels, 3.0, generator), _draw(expected, labels, 1.5, generator), **more)

    return build

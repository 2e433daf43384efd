"""Counts of the student's parameters that need no model."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel

from compactlm.bert.sentence_encoder.dense import Dense
from compactlm.errors import CompactLMError
from compactlm.params import Student
from compactlm.shapes.budget import check_budget, choose_vocabulary_size, fitting_vocabulary, parameters_of, sentence_width
from compactlm.student.building import build_config, count_parameters

SHAPES = [(1, 16, 2, 32, 16), (2, 32, 4, 64, 64), (3, 24, 3, 100, 40), (4, 128, 4, 512, 512)]
REST = {"task_share": None, "budget": 0.1, "initialisation": "random"}
STUDENTS = st.builds(
    lambda layers, heads, width, inner, positions: student(layers, heads * width, heads, inner, positions),
    st.integers(1, 12),
    st.integers(1, 8),
    st.integers(1, 64),
    st.integers(1, 2048),
    st.integers(8, 512),
)


def student(layers: int, hidden: int, heads: int, inner: int, positions: int, vocabulary: Any = "fit") -> Student:
    shape = {"layers": layers, "hidden_size": hidden, "attention_heads": heads, "intermediate_size": inner, "maximum_positions": positions}
    return Student.model_validate({**shape, "vocabulary_size": vocabulary, **REST})


def count_built(config: BertConfig, labels: int) -> int:
    """Build both models with transformers and return the larger count of parameters."""
    config.num_labels = labels
    return max(count_parameters(form(config)) for form in (BertForMaskedLM, BertForSequenceClassification))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("vocabulary", "labels"), [(100, 2), (257, 5), (130, 400)])
def test_the_formula_counts_what_transformers_builds(shape: tuple[int, ...], vocabulary: int, labels: int) -> None:
    one = student(*shape)
    assert parameters_of(one, vocabulary, labels) == count_built(build_config(one, vocabulary), labels)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("times", [1, 3, 100])
def test_a_sentence_encoder_is_a_body_and_a_dense_layer(shape: tuple[int, ...], times: int) -> None:
    one, width = student(*shape), times * shape[1]
    body = count_parameters(BertModel(build_config(one, 100), add_pooling_layer=False))
    dense = Dense(np.zeros((width, shape[1]), np.float32), np.zeros(width, np.float32)).parameters
    assert parameters_of(one, 100, 2, width) == max(parameters_of(one, 100), body + dense)


@given(one=STUDENTS, labels=st.integers(2, 500), allowed=st.integers(0, 10**8), width=st.none() | st.integers(1, 5000))
def test_a_fitting_vocabulary_is_the_largest_within_what_is_allowed(one: Student, labels: int, allowed: int, width: int | None) -> None:
    size = fitting_vocabulary(one, allowed, labels, width)
    assert parameters_of(one, size, labels, width) <= allowed < parameters_of(one, size + 1, labels, width)


def test_sentence_vectors_count_unless_the_phase_is_off() -> None:
    one = student(1, 16, 2, 32, 16)
    found = [sentence_width(one, enabled, width) for enabled in (True, "auto", False) for width in (None, 40)]
    assert found == [16, 40, 16, 40, None, None]


def test_the_vocabulary_has_the_size_of_params_or_fits_the_budget() -> None:
    shape = (1, 16, 2, 32, 16)
    assert choose_vocabulary_size(student(*shape, vocabulary=130), 1, 2) == 130
    # With 300 labels the classifier is larger than the masked language model.
    assert choose_vocabulary_size(student(*shape), 203_457, 300) == fitting_vocabulary(student(*shape), 20_345, 300)


def test_a_student_beyond_the_budget_is_refused() -> None:
    one = student(1, 16, 2, 32, 16)
    enough = 10 * parameters_of(one, 100)
    assert choose_vocabulary_size(one, enough, 2) == 100
    with pytest.raises(CompactLMError, match=r"student\.budget is 10% .* no room .* lower student\.layers or student\.hidden_size"):
        choose_vocabulary_size(one, enough - 10, 2)
    check_budget(100, 1000, 0.1)
    with pytest.raises(CompactLMError, match=r"101 parameters, but student\.budget allows 100 .* set student\.vocabulary_size to fit"):
        check_budget(101, 1000, 0.1)

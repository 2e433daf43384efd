"""The functions that compare a layer of the student with a layer of the teacher."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from compactlm.distillation.losses.attention import attention_mse
from compactlm.distillation.losses.hidden import HIDDEN_DISTANCES, hidden_cosine, hidden_mse
from compactlm.distillation.losses.relations import relation_loss
from compactlm.errors import CompactLMError
from tests.fixtures.builders import noise

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def relations(student, teacher, mask):
    return relation_loss([student], [teacher], mask, 2)


EACH = pytest.mark.parametrize("distance", [*HIDDEN_DISTANCES.values(), relations, attention_mse])


def sides(distance, seed=0):
    """Return random tensors of a student and a teacher. Attentions have 3 heads and a second dimension of tokens."""
    shape = (2, 3, 4, 4) if distance is attention_mse else (2, 4, 6)
    return noise(2, *shape, seed=seed).unbind()


def padding(distance, mask):
    """Return where a tensor of a side belongs to padding, bool; its shape broadcasts to the tensor's."""
    real = mask.bool()
    return ~(real[:, None, :, None] & real[:, None, None, :]) if distance is attention_mse else ~real[:, :, None]


@EACH
@given(seed=st.integers(0, 10**6), extra=st.integers(0, 3), value=st.floats(-100, 100))
def test_padding_has_no_effect(distance, seed, extra, value):
    more = (0, extra, 0, extra) if distance is attention_mse else (0, 0, 0, extra)
    longer = [
        functional.pad(side.masked_fill(padding(distance, MASK), fill), more, value=fill)
        for side, fill in zip(sides(distance, seed), (value, -value), strict=True)
    ]
    expected = distance(*sides(distance, seed), MASK)
    torch.testing.assert_close(distance(*longer, functional.pad(MASK, (0, extra))), expected)


@EACH
def test_the_distance_is_0_for_equal_sides_only(distance):
    student, teacher = sides(distance)
    assert distance(student, student, MASK).item() == pytest.approx(0, abs=1e-6)
    assert distance(student, teacher, MASK).item() > 0.1


@EACH
@pytest.mark.parametrize("mask", [MASK, torch.tensor([[1, 1, 1, 0], [0, 0, 0, 0]])])
def test_only_the_student_gets_a_gradient_and_only_at_tokens(distance, mask):
    student, teacher = (side.bfloat16().requires_grad_() for side in sides(distance))
    loss = distance(student, teacher, mask)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    learns = (student.grad != 0).any(dim=-1, keepdim=True)
    assert torch.equal(learns, (~padding(distance, mask)).any(dim=-1, keepdim=True).expand_as(learns))
    assert teacher.grad is None


def test_hidden_cosine_is_the_mean_over_tokens():
    student, teacher = noise(2, 4, 8), noise(2, 4, 8, seed=1)
    tokens = [1 - functional.cosine_similarity(student[row, at], teacher[row, at], dim=0) for row, at in MASK.nonzero()]
    assert torch.allclose(hidden_cosine(student, teacher, MASK), torch.stack(tokens).mean())


def test_hidden_mse_is_the_mean_over_tokens_and_units():
    student = torch.tensor([[[1.0, 2.0], [0.0, 0.0], [9.0, 9.0]]])
    teacher = torch.tensor([[[0.0, 4.0], [3.0, 0.0], [0.0, 0.0]]])
    # (1 + 4) / 2 at the first token and (9 + 0) / 2 at the second.
    assert hidden_mse(student, teacher, torch.tensor([[1, 1, 0]])).item() == pytest.approx(3.5)


def test_attention_is_the_mean_square_over_heads_and_pairs_of_tokens():
    student, teacher = sides(attention_mse)
    squares = (student - teacher).square()
    expected = (squares[0].sum() + squares[1, :, :2, :2].sum()) / (3 * (16 + 4))
    torch.testing.assert_close(attention_mse(student, teacher, MASK), expected)


def test_different_numbers_of_heads_are_an_error_that_names_both():
    student, teacher = sides(attention_mse)
    with pytest.raises(CompactLMError, match=r"the student has 2 and the teacher 3"):
        attention_mse(student[:, :2], teacher, MASK)

"""Properties of all functions that compare layers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from compactlm.distillation.losses.attention import attention_mse
from compactlm.distillation.losses.hidden import HIDDEN_DISTANCES
from compactlm.distillation.losses.relations import relation_loss

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def relations(student, teacher, mask):
    return relation_loss([student], [teacher], mask, 2)


EACH = pytest.mark.parametrize("distance", [*HIDDEN_DISTANCES.values(), relations, attention_mse])


def sides(distance, seed=0):
    """Return random tensors of a student and a teacher. Attentions have 3 heads and a second dimension of tokens."""
    shape = (2, 3, 4, 4) if distance is attention_mse else (2, 4, 6)
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed)).unbind()


def padding(distance, mask):
    """Return where a tensor of a side belongs to padding, bool; its shape broadcasts to the tensor's."""
    real = mask.bool()
    return ~(real[:, None, :, None] & real[:, None, None, :]) if distance is attention_mse else ~real[:, :, None]


@EACH
@given(seed=st.integers(0, 10**6), extra=st.integers(0, 3), value=st.floats(-100, 100))
def test_padding_does_not_matter(distance, seed, extra, value):
    more = (0, extra, 0, extra) if distance is attention_mse else (0, 0, 0, extra)
    longer = [
        functional.pad(side.masked_fill(padding(distance, MASK), fill), more, value=fill)
        for side, fill in zip(sides(distance, seed), (value, -value), strict=True)
    ]
    expected = distance(*sides(distance, seed), MASK)
    torch.testing.assert_close(distance(*longer, functional.pad(MASK, (0, extra))), expected)


@EACH
def test_equal_sides_are_at_no_distance_and_others_are(distance):
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

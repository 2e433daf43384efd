import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from compactlm.distillation.losses.hidden import HIDDEN_DISTANCES, hidden_cosine, hidden_mse

BOTH = pytest.mark.parametrize("distance", HIDDEN_DISTANCES.values(), ids=HIDDEN_DISTANCES)


def states(seed):
    return torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(seed))


def test_hidden_cosine_is_0_in_the_same_direction_and_2_in_the_opposite():
    vectors, mask = states(0), torch.ones(2, 3)
    assert hidden_cosine(3 * vectors, vectors, mask).item() == pytest.approx(0, abs=1e-6)
    assert hidden_cosine(-vectors, vectors, mask).item() == pytest.approx(2, abs=1e-6)


def test_hidden_cosine_is_the_mean_over_tokens():
    student, teacher, mask = states(0), states(1), torch.tensor([[1, 1, 0], [1, 0, 0]])
    kept = torch.stack([1 - functional.cosine_similarity(student[r, p], teacher[r, p], dim=0) for r, p in ((0, 0), (0, 1), (1, 0))])
    assert torch.allclose(hidden_cosine(student, teacher, mask), kept.mean())


def test_hidden_mse_is_the_mean_over_tokens_and_units():
    student = torch.tensor([[[1.0, 2.0], [0.0, 0.0], [9.0, 9.0]]])
    teacher = torch.tensor([[[0.0, 4.0], [3.0, 0.0], [0.0, 0.0]]])
    # (1 + 4) / 2 at the first token and (9 + 0) / 2 at the second.
    assert hidden_mse(student, teacher, torch.tensor([[1, 1, 0]])).item() == pytest.approx(3.5)


@given(shift=st.floats(-3, 3), units=st.integers(1, 9))
def test_hidden_mse_of_a_shift_is_its_square_whatever_the_width(shift, units):
    teacher = torch.zeros(2, 3, units)
    assert hidden_mse(teacher + shift, teacher, torch.tensor([[1, 1, 1], [1, 0, 0]])).item() == pytest.approx(shift**2, rel=1e-5)


@BOTH
def test_equal_states_are_at_no_distance(distance):
    assert distance(states(0), states(0), torch.ones(2, 3)).item() == pytest.approx(0, abs=1e-6)
    assert distance(states(0), states(1), torch.ones(2, 3)).item() > 0.1


@BOTH
def test_padding_does_not_matter(distance):
    student, teacher, mask = states(0), states(1), torch.tensor([[1, 1, 0], [1, 0, 0]])
    loss = distance(student, teacher, mask)
    assert torch.allclose(distance(student, teacher.masked_fill(mask.unsqueeze(-1) == 0, 1e4), mask), loss)
    longer = [functional.pad(side, (0, 0, 0, 2), value=7.0) for side in (student, teacher)]
    assert torch.allclose(distance(*longer, functional.pad(mask, (0, 2))), loss)


@BOTH
def test_the_student_alone_gets_a_gradient_and_only_at_tokens(distance):
    student, teacher = states(0).bfloat16().requires_grad_(), states(1).bfloat16().requires_grad_()
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    loss = distance(student, teacher, mask)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.equal(student.grad.abs().sum(dim=-1) > 0, mask.bool())
    assert teacher.grad is None

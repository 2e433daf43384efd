import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from compactlm.distillation.losses.attention import attention_mse
from compactlm.errors import CompactLMError

MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])


def probabilities(seed, heads=2):
    scores = torch.randn(2, heads, 3, 3, generator=torch.Generator().manual_seed(seed))
    return scores.masked_fill(MASK[:, None, None, :] == 0, -torch.inf).softmax(dim=-1)


def test_attention_by_hand():
    student, teacher = torch.tensor([[[[0.5, 0.5], [1.0, 0.0]]]]), torch.tensor([[[[0.5, 0.5], [0.4, 0.6]]]])
    assert attention_mse(student, teacher, torch.ones(1, 2)).item() == pytest.approx(2 * 0.6**2 / 4)
    # The padded token neither asks nor is asked.
    assert attention_mse(student, teacher, torch.tensor([[1, 0]])).item() == 0


@given(seed=st.integers(0, 10**6), extra=st.integers(0, 3), value=st.floats(-100, 100))
def test_padding_does_not_matter(seed, extra, value):
    student, teacher = probabilities(seed), probabilities(seed + 1)
    expected = attention_mse(student, teacher, MASK)
    padding = (MASK[:, None, :, None] * MASK[:, None, None, :]) == 0
    longer = [
        functional.pad(side.masked_fill(padding, value * sign), (0, extra, 0, extra), value=value * sign)
        for side, sign in ((student, 1), (teacher, -1))
    ]
    torch.testing.assert_close(attention_mse(*longer, functional.pad(MASK, (0, extra))), expected)


def test_the_mean_is_over_heads_and_pairs_of_tokens():
    student, teacher = probabilities(0, 4), probabilities(1, 4)
    squares = (student - teacher).square()
    expected = (squares[0].sum() + squares[1, :, :2, :2].sum()) / (4 * (9 + 4))
    torch.testing.assert_close(attention_mse(student, teacher, MASK), expected)
    torch.testing.assert_close(attention_mse(student.repeat(1, 3, 1, 1), teacher.repeat(1, 3, 1, 1), MASK), expected)


def test_the_student_alone_gets_a_gradient():
    student, teacher = probabilities(0).bfloat16().requires_grad_(), probabilities(1).bfloat16().requires_grad_()
    assert attention_mse(student, student, MASK).item() == 0
    loss = attention_mse(student, teacher, MASK)
    loss.backward()
    assert loss.dtype == torch.float32
    assert student.grad.abs().sum() > 0
    assert (student.grad[1, :, 2] == 0).all()
    assert teacher.grad is None


def test_different_numbers_of_heads_are_an_error_that_names_both():
    with pytest.raises(CompactLMError, match=r"the student has 2 and the teacher 4"):
        attention_mse(probabilities(0), probabilities(1, 4), MASK)

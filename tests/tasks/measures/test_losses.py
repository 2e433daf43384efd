import math

import pytest
import torch
from torch.nn import functional

from compactlm.tasks.measures.losses import binary_cross_entropy, soft_binary_cross_entropy, squared_error


def test_binary_cross_entropy_is_the_mean_over_labelled_rows():
    logits = torch.tensor([[2.0, -1.0], [0.5, 3.0]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0], [math.nan, math.nan]])
    loss = binary_cross_entropy(logits, targets)
    assert loss.item() == pytest.approx(functional.binary_cross_entropy_with_logits(logits[:1], targets[:1]).item())
    loss.backward()
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[1] == 0).all()


def test_weights_multiply_rows_and_positive_rows():
    logits, targets = torch.zeros(2, 1), torch.tensor([[1.0], [0.0]])
    plain = math.log(2)
    assert binary_cross_entropy(logits, targets, torch.tensor([3.0, 1.0])).item() == pytest.approx(2 * plain)
    assert binary_cross_entropy(logits, targets, positive_weights=torch.tensor([5.0])).item() == pytest.approx(3 * plain)


def test_focal_loss_turns_to_wrong_rows():
    logits, targets = torch.tensor([[4.0], [-4.0]]), torch.ones(2, 1)
    each = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    expected = (each * (1 - torch.sigmoid(logits)) ** 2).mean().item()
    assert binary_cross_entropy(logits, targets, focal_gamma=2.0).item() == pytest.approx(expected, rel=1e-4)


def test_without_a_labelled_row_losses_are_0():
    nothing = torch.full((2, 3), math.nan)
    assert binary_cross_entropy(torch.ones(2, 3), nothing).item() == 0
    assert squared_error(torch.ones(2, 1), nothing[:, 0]).item() == 0


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_soft_loss_is_least_where_the_student_is_the_teacher(temperature):
    teacher = torch.tensor([[1.5, -2.0]])
    student = teacher.clone().requires_grad_()
    soft_binary_cross_entropy(student, teacher, temperature).backward()
    assert student.grad.abs().max() < 1e-6
    off = torch.tensor([[0.5, -2.0]], requires_grad=True)
    soft_binary_cross_entropy(off, teacher, temperature).backward()
    assert off.grad[0, 0] < 0


def test_squared_error_leaves_unlabelled_rows_out():
    scores = torch.tensor([[1.0], [5.0], [2.0]])
    targets = torch.tensor([3.0, math.nan, 2.0])
    assert squared_error(scores, targets).item() == pytest.approx(2.0)
    assert squared_error(scores, targets, torch.tensor([0.5, 1.0, 1.0])).item() == pytest.approx(1.0)
    assert squared_error(scores, torch.tensor([[3.0], [5.0], [2.0]])).item() == pytest.approx(4 / 3)

import pytest
import torch
from torch.nn import functional

from compactlm.training.hard_labels import hard_labels


def logits(seed, rows=6, classes=5):
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_hard_labels_weigh_rows_and_pass_over_unlabelled_gradients(gamma):
    student = logits(0).requires_grad_()
    target = torch.tensor([1, -100, 2, 0, -100, 3])
    weights = torch.tensor([1.0, 9.0, 2.0, 0.5, 9.0, 1.0])
    loss = hard_labels(student, target, weights, gamma)
    each = functional.cross_entropy(student, target, reduction="none", ignore_index=-100)
    assert torch.allclose(loss, ((1 - torch.exp(-each)) ** gamma * each * weights)[target >= 0].sum() / 4)
    loss.backward()
    assert (student.grad[[1, 4]] == 0).all()
    assert (student.grad[[0, 2, 3, 5]].abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_a_row_that_is_surely_right_or_surely_wrong_has_a_finite_gradient(gamma):
    student = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], requires_grad=True)
    loss = hard_labels(student, torch.tensor([0, 0]), focal_gamma=gamma)
    loss.backward()
    assert loss.item() == pytest.approx(200)
    assert student.grad.isfinite().all()
    assert (student.grad[0] == 0).all()
    assert (student.grad[1] != 0).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5])
@pytest.mark.parametrize("rows", [0, 3])
def test_without_labelled_rows_the_loss_is_0(gamma, rows):
    student = logits(0, rows).requires_grad_()
    loss = hard_labels(student, torch.full((rows,), -100), focal_gamma=gamma)
    loss.backward()
    assert loss.item() == 0
    assert not student.grad.any()


def test_halves_are_computed_in_full():
    assert hard_labels(logits(0).bfloat16(), torch.zeros(6, dtype=torch.int64), focal_gamma=1.0).dtype == torch.float32

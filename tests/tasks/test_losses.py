import pytest
import torch
from torch.nn import functional

from compactlm.tasks.losses import hard_labels
from tests.fixtures.builders import noise


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_hard_labels_are_weighted_and_leave_out_rows_without_a_label(gamma):
    student = noise(6, 5).requires_grad_()
    target = torch.tensor([1, -100, 2, 0, -100, 3])
    weights = torch.tensor([1.0, 9.0, 2.0, 0.5, 9.0, 1.0])
    loss = hard_labels(student, target, weights, gamma)
    each = functional.cross_entropy(student, target, reduction="none", ignore_index=-100)
    assert torch.allclose(loss, ((1 - torch.exp(-each)) ** gamma * each * weights)[target >= 0].sum() / 4)
    loss.backward()
    assert (student.grad[[1, 4]] == 0).all()
    assert (student.grad[[0, 2, 3, 5]].abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_certain_predictions_have_finite_gradients(gamma):
    student = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], dtype=torch.bfloat16, requires_grad=True)
    loss = hard_labels(student, torch.tensor([0, 0]), focal_gamma=gamma)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(200)
    assert student.grad.isfinite().all()
    assert (student.grad[0] == 0).all()
    assert (student.grad[1] != 0).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5])
@pytest.mark.parametrize("rows", [0, 3])
def test_without_labelled_rows_the_loss_is_0(gamma, rows):
    student = noise(rows, 5).requires_grad_()
    loss = hard_labels(student, torch.full((rows,), -100), focal_gamma=gamma)
    loss.backward()
    assert loss.item() == 0
    assert not student.grad.any()

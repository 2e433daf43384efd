import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from compactlm.training.hard_labels import hard_labels


def logits(seed, rows=6, classes=5):
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(seed))


@given(labels=st.lists(st.integers(0, 4) | st.just(-100), min_size=6, max_size=6))
def test_hard_labels_are_cross_entropy_over_labelled_rows(labels):
    student, target = logits(0), torch.tensor(labels)
    loss = hard_labels(student, target)
    if (target == -100).all():
        assert loss.item() == 0
    else:
        assert torch.allclose(loss, functional.cross_entropy(student, target, ignore_index=-100))


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


def test_the_focal_loss_of_one_row():
    student, target = torch.tensor([[0.8, 0.2]]).log(), torch.tensor([0])
    assert hard_labels(student, target, focal_gamma=2.0).item() == pytest.approx(-0.04 * math.log(0.8), rel=1e-5)
    assert hard_labels(student, 1 - target, focal_gamma=1.0).item() == pytest.approx(-0.8 * math.log(0.2), rel=1e-5)


@given(labels=st.lists(st.integers(0, 4) | st.just(-100), min_size=6, max_size=6), gamma=st.floats(0, 5))
def test_a_focal_loss_is_at_most_the_cross_entropy(labels, gamma):
    student, target = logits(0), torch.tensor(labels)
    focal, plain = hard_labels(student, target, focal_gamma=gamma), hard_labels(student, target)
    assert 0 <= focal.item() <= plain.item()
    if gamma == 0:
        assert torch.equal(focal, plain)


def test_gamma_shifts_the_weight_to_rows_that_are_still_wrong():
    shares = []
    for gamma in (0.0, 1.0, 3.0):
        student = torch.tensor([[2.0, 0.0], [0.0, 2.0]], requires_grad=True)
        hard_labels(student, torch.tensor([0, 0]), focal_gamma=gamma).backward()
        right, wrong = student.grad.abs().sum(dim=1).tolist()
        shares.append(wrong / (right + wrong))
    assert shares == sorted(shares)
    assert shares[-1] > shares[0] + 0.05


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
def test_no_row_gives_0_and_no_nan(gamma):
    student = torch.zeros(0, 5, requires_grad=True)
    loss = hard_labels(student, torch.zeros(0, dtype=torch.int64), focal_gamma=gamma)
    loss.backward()
    assert loss.item() == 0


def test_halves_are_computed_in_full():
    assert hard_labels(logits(0).bfloat16(), torch.zeros(6, dtype=torch.int64), focal_gamma=1.0).dtype == torch.float32

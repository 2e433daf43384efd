import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from compactlm.distillation.losses import hard_labels, hidden_cosine, soft_targets

TEMPERATURES = [1.0, 2.0, 8.0]


def logits(seed, rows=6, classes=5):
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_soft_targets_are_0_for_equal_distributions_alone(temperature):
    one = logits(0)
    assert soft_targets(one, one + 3, temperature).item() == pytest.approx(0, abs=1e-6)
    assert soft_targets(one, logits(1), temperature).item() > 0.1


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_soft_targets_are_the_divergence_from_the_teacher(temperature):
    student, teacher = logits(0, 1), logits(1, 1)
    p = [math.exp(value / temperature) for value in teacher[0].tolist()]
    q = [math.exp(value / temperature) for value in student[0].tolist()]
    p, q = [value / sum(p) for value in p], [value / sum(q) for value in q]
    expected = temperature**2 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert soft_targets(student, teacher, temperature).item() == pytest.approx(expected, rel=1e-4)


def test_the_squared_temperature_keeps_the_gradients_size():
    sizes = []
    for temperature in (5.0, 10.0, 40.0):
        student = logits(0).requires_grad_()
        soft_targets(student, logits(1), temperature).backward()
        sizes.append(student.grad.norm().item())
    assert max(sizes) < 1.5 * min(sizes)


def test_soft_targets_weigh_rows():
    student, teacher = logits(0), logits(1)
    weights = torch.tensor([0.0, 2.0, 0.0, 0.0, 0.0, 0.0])
    expected = 2 * soft_targets(student[1:2], teacher[1:2], 2.0) / 6
    assert torch.allclose(soft_targets(student, teacher, 2.0, weights), expected)
    assert torch.allclose(soft_targets(student, teacher, 2.0, torch.ones(6)), soft_targets(student, teacher, 2.0))


def test_no_row_gives_0_and_no_nan():
    # A batch of one short sequence may have no masked piece at all.
    student = torch.zeros(0, 5, requires_grad=True)
    soft, hard = soft_targets(student, torch.zeros(0, 5), 2.0), hard_labels(student, torch.zeros(0, dtype=torch.int64))
    (soft + hard).backward()
    assert soft.item() == hard.item() == 0


@given(labels=st.lists(st.integers(0, 4) | st.just(-100), min_size=6, max_size=6))
def test_hard_labels_are_cross_entropy_over_labelled_rows(labels):
    student, target = logits(0), torch.tensor(labels)
    loss = hard_labels(student, target)
    if (target == -100).all():
        assert loss.item() == 0
    else:
        assert torch.allclose(loss, functional.cross_entropy(student, target, ignore_index=-100))


def test_hard_labels_weigh_rows_and_pass_over_unlabelled_gradients():
    student = logits(0).requires_grad_()
    target = torch.tensor([1, -100, 2, 0, -100, 3])
    weights = torch.tensor([1.0, 9.0, 2.0, 0.5, 9.0, 1.0])
    loss = hard_labels(student, target, weights)
    each = functional.cross_entropy(student, target, reduction="none", ignore_index=-100)
    assert torch.allclose(loss, (each * weights).sum() / 4)
    loss.backward()
    assert (student.grad[[1, 4]] == 0).all()
    assert (student.grad[[0, 2, 3, 5]].abs().sum(dim=1) > 0).all()


def test_hidden_cosine_is_0_in_the_same_direction_and_2_in_the_opposite():
    vectors, mask = logits(0, 6, 8).reshape(2, 3, 8), torch.ones(2, 3)
    assert hidden_cosine(3 * vectors, vectors, mask).item() == pytest.approx(0, abs=1e-6)
    assert hidden_cosine(-vectors, vectors, mask).item() == pytest.approx(2, abs=1e-6)


def test_hidden_cosine_ignores_padding():
    student, teacher = logits(0, 6, 8).reshape(2, 3, 8), logits(1, 6, 8).reshape(2, 3, 8)
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    loss = hidden_cosine(student, teacher, mask)
    changed = teacher.masked_fill(mask.unsqueeze(-1) == 0, 1e4)
    assert torch.allclose(hidden_cosine(student, changed, mask), loss)
    kept = torch.stack([1 - functional.cosine_similarity(student[r, p], teacher[r, p], dim=0) for r, p in ((0, 0), (0, 1), (1, 0))])
    assert torch.allclose(loss, kept.mean())


def test_losses_are_computed_in_full_precision_under_autocast():
    student, teacher = logits(0).bfloat16(), logits(1).bfloat16()
    assert soft_targets(student, teacher, 1.0).dtype == torch.float32
    assert hard_labels(student, torch.zeros(6, dtype=torch.int64)).dtype == torch.float32
    assert hidden_cosine(student[None], teacher[None], torch.ones(1, 6)).dtype == torch.float32

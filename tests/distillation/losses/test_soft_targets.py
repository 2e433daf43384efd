import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compactlm.distillation.losses.soft_targets import soft_targets_of_top
from compactlm.tasks.losses import soft_targets
from tests.fixtures.builders import noise

SEEDS, TEMPERATURES, SCALES = st.integers(0, 10**6), st.floats(0.5, 10), st.sampled_from([0.1, 1.0, 10.0, 60.0])


def logits(seed, rows=6, classes=5, scale=1.0):
    return scale * noise(rows, classes, seed=seed)


def top(teacher, k, temperature):
    """Return the teacher's arguments of soft_targets_of_top from all of its logits."""
    values, indices = teacher.topk(k, dim=-1)
    return values, indices, (teacher.scatter(-1, indices, -math.inf) / temperature).logsumexp(dim=-1)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 8.0])
def test_soft_targets_are_the_divergence_from_the_teacher(temperature):
    student, teacher = logits(0, 1), logits(1, 1)
    p = [math.exp(value / temperature) for value in teacher[0].tolist()]
    q = [math.exp(value / temperature) for value in student[0].tolist()]
    p, q = [value / sum(p) for value in p], [value / sum(q) for value in q]
    expected = temperature**2 * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert soft_targets(student, teacher, temperature).item() == pytest.approx(expected, rel=1e-4)


def test_soft_targets_are_weighted_by_row():
    student, teacher = logits(0), logits(1)
    weights = torch.tensor([0.0, 2.0, 0.0, 0.0, 0.0, 0.0])
    expected = 2 * soft_targets(student[1:2], teacher[1:2], 2.0) / 6
    assert torch.allclose(soft_targets(student, teacher, 2.0, weights), expected)
    assert torch.allclose(soft_targets(student, teacher, 2.0, torch.ones(6)), soft_targets(student, teacher, 2.0))


def test_the_loss_of_no_rows_is_0():
    # A batch of one short sequence may have no masked token.
    student = torch.zeros(0, 5, requires_grad=True)
    loss = soft_targets(student, torch.zeros(0, 5), 2.0) + soft_targets_of_top(student, *top(torch.zeros(0, 5), 2, 2.0), 2.0)
    loss.backward()
    assert loss.item() == 0


@given(seed=SEEDS, vocabulary=st.integers(1, 30), temperature=TEMPERATURES, scale=SCALES)
def test_the_top_of_the_whole_vocabulary_gives_the_full_loss(seed, vocabulary, temperature, scale):
    teacher = logits(seed + 1, 3, vocabulary, scale)
    one, other = (logits(seed, 3, vocabulary, scale).requires_grad_() for _ in range(2))
    dense, of_top = soft_targets(one, teacher, temperature), soft_targets_of_top(other, *top(teacher, vocabulary, temperature), temperature)
    torch.testing.assert_close(of_top, dense, rtol=1e-4, atol=1e-4)
    (dense + of_top).backward()
    torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-5)


@given(seed=SEEDS, k=st.integers(1, 20), temperature=TEMPERATURES, scale=SCALES)
def test_the_gradient_of_the_top_is_that_of_autograd(seed, k, temperature, scale):
    values, indices, rest = top(logits(seed + 1, 3, 20, scale), k, temperature)
    one, other = (logits(seed, 3, 20, scale).requires_grad_() for _ in range(2))
    scaled, least = one / temperature, torch.finfo(torch.float32).min
    own = torch.cat([scaled.gather(-1, indices), scaled.scatter(-1, indices, least).logsumexp(dim=-1, keepdim=True)], dim=-1)
    theirs = torch.cat([values / temperature, rest.clamp(min=least)[:, None]], dim=-1)
    divergence = torch.nn.functional.kl_div(own.log_softmax(-1), theirs.log_softmax(-1), reduction="none", log_target=True)
    plain, found = divergence.sum(-1).mean() * temperature**2, soft_targets_of_top(other, values, indices, rest, temperature)
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)
    (3 * plain).backward()
    (3 * found).backward()
    torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-5)


def test_the_teacher_gets_no_gradient_and_bfloat16_is_computed_in_float32():
    student, teacher = logits(0).bfloat16().requires_grad_(), logits(1).bfloat16().requires_grad_()
    values, indices, rest = top(teacher, 3, 2.0)
    loss = soft_targets(student, teacher, 2.0) + soft_targets_of_top(student, values, indices, rest, 2.0)
    loss.backward()
    assert loss.dtype == torch.float32
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None

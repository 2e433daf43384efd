import pytest
import torch
from torch.nn import functional

from compactlm.tasks.base import IGNORED
from compactlm.tasks.spans.losses import hard_spans, soft_spans

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def draw(seed):
    return torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(seed))


def test_the_hard_loss_is_the_mean_of_starts_and_ends_over_tokens_without_padding():
    logits = draw(1)
    spans = torch.tensor([[1, 3], [0, 1]])
    each = [functional.cross_entropy(logits[row, :length, side], spans[row, side]) for row, length in ((0, 4), (1, 2)) for side in (0, 1)]
    assert hard_spans(logits, spans, MASK).item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_unlabelled_rows_are_left_out_and_padding_has_no_part():
    logits = draw(1)
    spans = torch.tensor([[1, 3], [IGNORED, IGNORED]])
    expected = (functional.cross_entropy(logits[0, :, 0], spans[0, 0]) + functional.cross_entropy(logits[0, :, 1], spans[0, 1])) / 2
    assert hard_spans(logits, spans, MASK).item() == pytest.approx(expected.item(), rel=1e-5)
    changed = logits.clone()
    changed[1, 2:] = 99
    other = draw(2)
    assert soft_spans(changed, other, MASK, 2.0).item() == pytest.approx(soft_spans(logits, other, MASK, 2.0).item())


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_the_soft_loss_is_0_for_the_teacher_itself_and_has_finite_slopes(temperature):
    student = draw(1).requires_grad_()
    assert soft_spans(student, student.detach(), MASK, temperature).item() == pytest.approx(0, abs=1e-6)
    loss = soft_spans(student, draw(2), MASK, temperature)
    loss.backward()
    assert loss.item() > 0
    assert torch.isfinite(student.grad).all()
    assert (student.grad[1, 2:] == 0).all()

import pytest
import torch
from torch.nn import functional

from compactlm.tasks.base import IGNORED, UNLABELLED
from compactlm.tasks.tags.losses import hard_tags, soft_tags

TAGS = torch.tensor([[IGNORED, 1, IGNORED, 0], [IGNORED, UNLABELLED, 2, IGNORED]])


@pytest.fixture
def logits():
    return torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(3))


def test_the_hard_loss_reads_labelled_words_alone(logits):
    expected = functional.cross_entropy(torch.stack([logits[0, 1], logits[0, 3], logits[1, 2]]), torch.tensor([1, 0, 2]))
    assert hard_tags(logits, TAGS).item() == pytest.approx(expected.item())
    assert hard_tags(logits, torch.full((2, 4), UNLABELLED)).item() == 0


def test_the_soft_loss_reads_unlabelled_words_too_and_no_other_token(logits):
    other = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(4))
    words = [(0, 1), (0, 3), (1, 1), (1, 2)]
    each = [functional.kl_div(logits[at].log_softmax(0), other[at].log_softmax(0), log_target=True, reduction="sum").item() for at in words]
    assert soft_tags(logits, other, TAGS, 1.0).item() == pytest.approx(sum(each) / 4, rel=1e-5)
    weighted = soft_tags(logits, other, TAGS, 1.0, torch.tensor([2.0, 0.0])).item()
    assert weighted == pytest.approx(2 * sum(each[:2]) / 4, rel=1e-5)


def test_rows_and_tags_are_weighted(logits):
    each = functional.cross_entropy(torch.stack([logits[0, 1], logits[0, 3], logits[1, 2]]), torch.tensor([1, 0, 2]), reduction="none")
    found = hard_tags(logits, TAGS, torch.tensor([1.0, 3.0]), class_weights=torch.tensor([1.0, 2.0, 1.0]))
    assert found.item() == pytest.approx(((2 * each[0] + each[1] + 3 * each[2]) / 3).item())

import pytest
import torch
from torch.nn import functional

from compactlm.distillation.losses.hidden import hidden_cosine, hidden_mse


def states(seed):
    return torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(seed))


def test_hidden_cosine_is_the_mean_over_tokens():
    student, teacher, mask = states(0), states(1), torch.tensor([[1, 1, 0], [1, 0, 0]])
    kept = torch.stack([1 - functional.cosine_similarity(student[r, p], teacher[r, p], dim=0) for r, p in ((0, 0), (0, 1), (1, 0))])
    assert torch.allclose(hidden_cosine(student, teacher, mask), kept.mean())


def test_hidden_mse_is_the_mean_over_tokens_and_units():
    student = torch.tensor([[[1.0, 2.0], [0.0, 0.0], [9.0, 9.0]]])
    teacher = torch.tensor([[[0.0, 4.0], [3.0, 0.0], [0.0, 0.0]]])
    # (1 + 4) / 2 at the first token and (9 + 0) / 2 at the second.
    assert hidden_mse(student, teacher, torch.tensor([[1, 1, 0]])).item() == pytest.approx(3.5)

import pytest
import torch

from compactlm.distillation.losses.attention import attention_mse
from compactlm.errors import CompactLMError

MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])


def probabilities(seed, heads=2):
    scores = torch.randn(2, heads, 3, 3, generator=torch.Generator().manual_seed(seed))
    return scores.masked_fill(MASK[:, None, None, :] == 0, -torch.inf).softmax(dim=-1)


def test_attention_is_the_mean_square_over_heads_and_pairs_of_tokens():
    student, teacher = probabilities(0, 4), probabilities(1, 4)
    squares = (student - teacher).square()
    expected = (squares[0].sum() + squares[1, :, :2, :2].sum()) / (4 * (9 + 4))
    torch.testing.assert_close(attention_mse(student, teacher, MASK), expected)


def test_different_numbers_of_heads_are_an_error_that_names_both():
    with pytest.raises(CompactLMError, match=r"the student has 2 and the teacher 4"):
        attention_mse(probabilities(0), probabilities(1, 4), MASK)

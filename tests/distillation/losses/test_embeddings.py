import pytest
import torch
from transformers import BertModel

from compactlm.distillation.losses.embeddings import embedding_distance
from compactlm.distillation.losses.hidden import hidden_cosine, hidden_mse


@pytest.fixture(scope="module")
def teacher(tiny_bert):
    return BertModel.from_pretrained(tiny_bert).eval()


def test_the_distance_is_that_of_hidden_states_and_squared_by_default():
    student, teacher = torch.randn(2, 2, 3, 8, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert torch.equal(embedding_distance(student, teacher, mask), hidden_mse(student, teacher, mask))
    assert torch.equal(embedding_distance(student, teacher, mask, "cosine"), hidden_cosine(student, teacher, mask))


def test_hidden_state_0_is_the_embedding_output(teacher):
    input_ids, mask = torch.tensor([[4, 30, 31, 5]]), torch.ones(1, 4, dtype=torch.int64)
    with torch.inference_mode():
        output = teacher(input_ids, attention_mask=mask, output_hidden_states=True)
        embedded = teacher.embeddings(input_ids)
    assert embedding_distance(output.hidden_states[0], embedded, mask).item() == 0
    assert embedding_distance(output.hidden_states[1], embedded, mask).item() > 0

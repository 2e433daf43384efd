"""The static table, and the student that starts from it."""

import numpy as np
import pytest
import torch

from compactlm.bert.models import pad_tensors
from compactlm.errors import CompactLMError
from compactlm.student.sentence_student import SentenceStudent, start_from_table
from compactlm.student.static_table import StaticTable, static_table, token_weights
from tests.fixtures.builders import make_config, noise

SPECIAL, TOKENS, WIDTH = [0, 1, 2], 60, 40


@pytest.fixture
def table():
    """A table of a made-up teacher whose vector of a token depends on the token between [CLS] and [SEP]."""
    vectors = noise(200, WIDTH, seed=3)
    vectors[:, 0] += 5  # all tokens share a direction

    def encode(input_ids, attention_mask):
        assert input_ids.shape == attention_mask.shape
        assert input_ids[:, 0].eq(101).all()
        assert input_ids[:, 2].eq(102).all()
        return vectors[input_ids[:, 1]]

    counts = {token: 1000.0 / (token - 2) for token in range(3, TOKENS)} | {0: 1e6, 1: 1e6}
    ids = list(range(100, 100 + TOKENS))
    return static_table(encode, ids, (101, 102), SPECIAL, counts), vectors[100 : 100 + TOKENS], counts


def test_weights_fall_with_the_frequency_and_special_tokens_have_none():
    weights = token_weights(5, [0], {0: 900, 1: 999, 2: 1})
    assert weights.tolist() == pytest.approx([0, 0.001 / (0.001 + 0.999), 0.001 / (0.001 + 0.001), 1, 1])
    assert token_weights(3, [0], {}).tolist() == [0, 1, 1]


def test_all_components_keep_the_weighted_distances_of_the_teachers_vectors(table):
    found, vectors, counts = table
    weights = token_weights(TOKENS, SPECIAL, counts)[:, None]
    expected = (vectors - vectors[3:].mean(dim=0)) * weights
    assert torch.allclose(found.vectors @ found.vectors.T, expected @ expected.T, atol=1e-3)
    assert torch.allclose(found.vectors @ found.directions, expected, atol=1e-3)
    assert not found.vectors[SPECIAL].any()


def test_the_first_components_are_the_strongest(table):
    found, _, counts = table
    weights = token_weights(TOKENS, SPECIAL, counts)[3:, None]
    strengths = (found.vectors[3:] / weights).square().sum(dim=0)
    assert (strengths[:-1] >= strengths[1:] - 1e-3).all()
    assert torch.allclose(found.directions @ found.directions.T, torch.eye(len(found.directions)), atol=1e-5)


def test_a_text_is_the_weighted_mean_of_its_tokens(table):
    found, _, _ = table
    texts = [[1, 5, 9, 2], [1, 7, 2], [1, 2]]
    expected = torch.nn.functional.normalize(torch.stack([found.vectors[text, :8].mean(dim=0) for text in texts]), dim=-1)
    assert torch.allclose(found.embed(texts, 8), expected, atol=1e-6)
    assert found.embed([[1, 2]], 8).tolist() == [[0.0] * 8]


def test_a_table_is_written_in_equal_bytes_and_read_again(table, tmp_path):
    found, _, _ = table
    for name in ("one", "two"):
        found.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    again = StaticTable.read(tmp_path / "one")
    assert torch.equal(again.vectors, found.vectors)
    assert torch.equal(again.directions, found.directions)
    (tmp_path / "one").write_bytes(b"nothing")
    with pytest.raises(CompactLMError, match=r"one is damaged .*dvc checkout"):
        StaticTable.read(tmp_path / "one")


@pytest.mark.parametrize(("width", "layers"), [(30, True), (32, True), (30, False), (12, True), (40, True)])
def test_the_student_starts_as_the_static_table(table, width, layers):
    from transformers import BertModel

    found, _, _ = table
    torch.manual_seed(1)
    config = make_config(vocab_size=TOKENS, hidden_size=32, num_hidden_layers=3, intermediate_size=48)
    student = SentenceStudent(BertModel(config, add_pooling_layer=False), width).eval()
    start_from_table(student, found)
    student.train_layers(layers)
    generator = np.random.default_rng(4)
    texts = [[1, *generator.integers(3, TOKENS, size=generator.integers(2, 9)).tolist(), 2] for _ in range(40)]
    with torch.no_grad():
        own = torch.nn.functional.normalize(student(*pad_tensors(texts)), dim=-1)
    expected = found.embed(texts, min(width, 30))
    pairs = torch.triu_indices(40, 40, 1)
    similarities = torch.stack([(own @ own.T)[*pairs], (expected @ expected.T)[*pairs]])
    assert torch.corrcoef(similarities)[0, 1] > 0.99
    if width <= 30:
        assert torch.allclose(own, expected, atol=1e-4)


def test_training_the_table_leaves_layers_and_positions_alone(table):
    from transformers import BertModel

    found, _, _ = table
    student = SentenceStudent(BertModel(make_config(vocab_size=TOKENS, hidden_size=32), add_pooling_layer=False), 8)
    start_from_table(student, found)
    student.train_layers(False)
    trained = {name for name, parameter in student.named_parameters() if parameter.requires_grad}
    embeddings = {f"bert.embeddings.{name}" for name in ("word_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias")}
    assert trained == embeddings | {"dense.weight", "dense.bias"}
    student(*pad_tensors([[1, 5, 2]])).sum().backward()
    assert {name for name, parameter in student.named_parameters() if parameter.grad is not None} == trained
    student.train_layers(True)
    assert all(parameter.requires_grad for parameter in student.parameters())

import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.errors import CompactLMError
from compactlm.params import Student
from compactlm.student.building import build_config, build_student, check_budget, count_parameters, principal_components

SHAPES = [(1, 16, 2, 32, 100, 16), (2, 32, 4, 64, 130, 64), (3, 24, 3, 100, 257, 40), (4, 128, 4, 512, 1000, 512)]


def student_of(layers=1, hidden=16, heads=2, inner=32, vocabulary=100, positions=16):
    return Student(
        layers=layers,
        hidden_size=hidden,
        attention_heads=heads,
        intermediate_size=inner,
        vocabulary_size=vocabulary,
        maximum_positions=positions,
        budget=0.1,
    )


@pytest.fixture(scope="module")
def teacher(tiny_bert):
    return BertForMaskedLM.from_pretrained(tiny_bert)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("labels", [2, 5, 400])
def test_the_formula_counts_what_transformers_builds(shape, labels):
    student = student_of(*shape)
    config = build_config(student, student.vocabulary_size)
    masked = count_parameters(BertForMaskedLM(config))
    config.num_labels = labels
    classifier = count_parameters(BertForSequenceClassification(config))
    assert student.count_parameters(labels) == max(masked, classifier)


def test_tied_weights_are_counted_once():
    config = build_config(student_of(), 100)
    model = BertForMaskedLM(config)
    assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight
    stored = sum(tensor.numel() for tensor in model.state_dict().values())
    assert count_parameters(model) < stored


def test_principal_components_are_orthonormal_and_keep_most():
    torch.manual_seed(0)
    vectors = torch.randn(200, 3) @ torch.randn(3, 12) + 0.01 * torch.randn(200, 12)
    components = principal_components(vectors, 3)
    assert torch.allclose(components @ components.T, torch.eye(3), atol=1e-5)
    assert torch.linalg.norm(vectors - vectors @ components.T @ components) < 0.02 * torch.linalg.norm(vectors)


def test_the_sign_of_a_component_does_not_depend_on_the_decomposition():
    torch.manual_seed(0)
    vectors = torch.randn(50, 8)
    components = principal_components(vectors, 4)
    assert torch.allclose(principal_components(-vectors, 4), components, atol=1e-5)
    assert torch.allclose(principal_components(vectors.flip(0), 4), components, atol=1e-5)
    assert (components.gather(1, components.abs().argmax(dim=1, keepdim=True)) > 0).all()


def test_directions_beyond_the_teachers_width_are_zero():
    components = principal_components(torch.eye(4), 6)
    assert components.shape == (6, 4)
    assert (components[4:] == 0).all()
    assert torch.allclose(components[:4] @ components[:4].T, torch.eye(4))


def test_embeddings_start_as_the_projection_of_the_teachers(teacher):
    ids = [0, 3, 4, 5, 6, *range(20, 100)]
    student, components = build_student(build_config(student_of(), len(ids)), teacher, ids, seed=1)
    own, theirs = student.bert.embeddings, teacher.bert.embeddings
    expected = theirs.word_embeddings.weight[ids] @ components.T
    assert torch.allclose(own.word_embeddings.weight[1:], expected[1:], atol=1e-5)
    assert (own.word_embeddings.weight[0] == 0).all()
    assert torch.allclose(own.position_embeddings.weight, theirs.position_embeddings.weight[:16] @ components.T, atol=1e-5)
    assert student.cls.predictions.decoder.weight is own.word_embeddings.weight


def test_a_student_with_more_positions_than_the_teacher_keeps_random_ones(teacher):
    student, _ = build_student(build_config(student_of(positions=80), 50), teacher, list(range(50)), seed=1)
    extra = student.bert.embeddings.position_embeddings.weight[64:]
    assert torch.isfinite(extra).all()
    assert extra.std() > 0


def test_the_same_seed_builds_the_same_student(teacher):
    config = build_config(student_of(), 50)
    one, two, other = (build_student(config, teacher, list(range(50)), seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    layer = "bert.encoder.layer.0.output.dense.weight"
    assert not torch.equal(one[layer], other[layer])


def test_the_budget_is_a_bound_not_a_target():
    check_budget(100, 1000, 0.1)
    with pytest.raises(CompactLMError, match=r"101 parameters and student.budget allows 100 \(10% of the teacher's 1,000\); lower"):
        check_budget(101, 1000, 0.1)

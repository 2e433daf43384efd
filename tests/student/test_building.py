import torch
from transformers import BertForMaskedLM

from compactlm.params import Student
from compactlm.student.building import build_classifier, build_config, count_parameters, principal_components

SHAPE = {"layers": 1, "hidden_size": 16, "attention_heads": 2, "intermediate_size": 32, "maximum_positions": 16}


def student_of(vocabulary="fit", budget=0.1):
    rest = {"vocabulary_size": vocabulary, "task_share": None, "budget": budget, "initialisation": "random"}
    return Student.model_validate({**SHAPE, **rest})


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


def test_the_config_is_plain_bert_of_the_shape():
    config = build_config(student_of(), 123)
    own = (config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.intermediate_size, config.vocab_size)
    assert own == (1, 16, 2, 32, 123)
    assert config.max_position_embeddings == 16


def test_a_task_student_has_the_body_of_the_general_one():
    general = BertForMaskedLM(build_config(student_of(), 120))
    student = build_classifier(general, ["bad", "good", "so so"], seed=2)
    assert student.config.id2label == {0: "bad", 1: "good", 2: "so so"}
    assert student.config.label2id == {"bad": 0, "good": 1, "so so": 2}
    for name, tensor in general.bert.state_dict().items():
        assert torch.equal(student.bert.state_dict()[name], tensor)
    with torch.no_grad():
        student.bert.embeddings.word_embeddings.weight.zero_()
    assert general.bert.embeddings.word_embeddings.weight.any()
    assert general.config.num_labels == 2


def test_the_head_of_a_task_student_depends_on_the_seed_alone():
    general = BertForMaskedLM(build_config(student_of(), 120))
    one, again, other = (build_classifier(general, ["a", "b", "c"], seed).classifier.weight for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)

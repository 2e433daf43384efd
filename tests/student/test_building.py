import torch
from transformers import BertForMaskedLM

from compactlm.params import Student
from compactlm.student.building import build_classifier, build_config, principal_components

SHAPE = {"layers": 1, "hidden_size": 16, "attention_heads": 2, "intermediate_size": 32, "maximum_positions": 16}
STUDENT = Student(**SHAPE, vocabulary_size="fit", task_share=None, budget=0.1, initialisation="random")


def test_principal_components_are_orthonormal_and_keep_most_of_the_variance():
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


def test_components_beyond_the_teachers_width_are_0():
    components = principal_components(torch.eye(4), 6)
    assert components.shape == (6, 4)
    assert (components[4:] == 0).all()
    assert torch.allclose(components[:4] @ components[:4].T, torch.eye(4))


def test_the_config_is_that_of_a_bert_of_this_shape():
    config = build_config(STUDENT, 123)
    layers = config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.intermediate_size
    assert (*layers, config.vocab_size, config.max_position_embeddings) == (1, 16, 2, 32, 123, 16)


def test_a_task_student_has_a_copy_of_the_general_body_and_a_head_of_the_seed():
    general = BertForMaskedLM(build_config(STUDENT, 120))
    student = build_classifier(general, ["bad", "good", "so so"], seed=2)
    assert student.config.id2label == {0: "bad", 1: "good", 2: "so so"}
    assert student.config.label2id == {"bad": 0, "good": 1, "so so": 2}
    for name, tensor in general.bert.state_dict().items():
        assert torch.equal(student.bert.state_dict()[name], tensor)
    with torch.no_grad():
        student.bert.embeddings.word_embeddings.weight.zero_()
    assert general.bert.embeddings.word_embeddings.weight.any()
    assert general.config.num_labels == 2
    one, again, other = (build_classifier(general, ["a", "b", "c"], seed).classifier.weight for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)

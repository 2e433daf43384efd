"""The losses between layers, and the layers that have nothing to compare."""

from contextlib import closing
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from transformers import BertForMaskedLM, BertModel

from compactlm.bert import models
from compactlm.distillation.losses.attention import attention_mse
from compactlm.distillation.losses.hidden import build_projection, hidden_cosine, hidden_mse
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.losses.relations import StateRecorder, relation_loss
from compactlm.distillation.signals.online import OnlineMasked
from compactlm.errors import CompactLMError
from tests.fixtures.builders import noise

COMPONENTS = torch.linalg.qr(noise(32, 32)).Q[:16]
KEPT = [2, 0, 1]  # params.yaml may name layers in any order
EACH = {loss: {loss: {"weight": 0.5}} for loss in ("hidden", "embeddings", "relations", "attention")}


@pytest.fixture
def scene(tiny_bert, kept, masked, build_student, losses):
    """Return a factory that runs a student and a teacher of two layers each; the result has all inputs of the losses."""

    def run(changes, signals=KEPT, attention="eager", rows=12, **shape):
        teacher = BertForMaskedLM.from_pretrained(tiny_bert, attn_implementation="eager")
        student = build_student(BertForMaskedLM, **shape, attn_implementation=attention)
        found = LayerLosses(student.bert, teacher.bert, signals, COMPONENTS, losses("general", **changes))
        batch = masked.model_inputs(range(rows))
        batch.update(OnlineMasked(teacher, kept, signals, 3, 1.0, attentions=True).signals(batch, range(rows)))
        inputs = batch["input_ids"], batch["attention_mask"]
        output = student.bert(*inputs, output_hidden_states=True, output_attentions=found.needs_attentions)
        return SimpleNamespace(student=student, teacher=teacher, losses=found, batch=batch, output=output, inputs=inputs)

    return run


def test_a_projection_starts_from_the_components():
    projection, vectors = build_projection(COMPONENTS), torch.randn(2, 16)
    torch.testing.assert_close(projection(vectors), vectors @ COMPONENTS)


@pytest.mark.parametrize("loss", EACH)
def test_each_loss_alone_trains_the_student(scene, loss):
    one = scene(EACH[loss])
    found = one.losses(one.output, one.batch)
    assert set(found) == {loss}
    assert found[loss].item() > 0
    found[loss].backward()
    touched = {name for name, parameter in one.student.bert.named_parameters() if parameter.grad is not None and parameter.grad.any()}
    assert "embeddings.word_embeddings.weight" in touched
    assert any(name.startswith("encoder.layer.1.") for name in touched) == (loss != "embeddings")
    assert all(parameter.grad.any() for parameter in one.losses.parameters())
    pairs = {"hidden": {"0-0", "1-1", "2-2"}, "embeddings": {"0-0"}}.get(loss, set())
    assert {name.split(".")[3] for name in one.losses.state_dict()} == pairs
    assert all(parameter.grad is None for parameter in one.teacher.parameters())


@pytest.mark.parametrize(("kind", "distance"), [("cosine", hidden_cosine), ("mse", hidden_mse)])
def test_hidden_states_and_embeddings_are_compared_by_pairs(scene, kind, distance):
    hidden = {"weight": 1.0, "distance": kind, "layers": [[1, 2], [2, 0]]}
    one = scene({"hidden": hidden, "embeddings": {"weight": 1.0, "distance": kind}})

    def between(own, at):
        return distance(one.output.hidden_states[own] @ COMPONENTS, one.batch["teacher_states"][:, :, at], one.inputs[1])

    found = one.losses(one.output, one.batch)
    # KEPT has layer 2 first and layer 0 second.
    torch.testing.assert_close(found["hidden"], (between(1, 0) + between(2, 1)) / 2)
    torch.testing.assert_close(found["embeddings"], between(0, 1))


def test_relations_are_compared_with_those_of_the_teachers_own_forward_pass(scene, kept):
    one = scene({"relations": {"weight": 1.0, "layers": [[2, 1]]}})
    with closing(StateRecorder(one.student.bert, [1])) as own, closing(StateRecorder(one.teacher.bert, [0])) as theirs:
        one.student.bert(*one.inputs)
        one.teacher.bert(torch.tensor(kept)[one.inputs[0]], attention_mask=one.inputs[1])
        expected = relation_loss(own.take(1), theirs.take(0), one.inputs[1], 2)
    torch.testing.assert_close(one.losses(one.output, one.batch)["relations"], expected)


def test_attentions_are_compared_by_pairs(scene):
    one = scene({"attention": {"weight": 1.0, "layers": [[1, 2], [2, 1]]}})
    theirs = one.batch["teacher_attentions"]
    expected = [attention_mse(one.output.attentions[own - 1], theirs[:, layer - 1], one.inputs[1]) for own, layer in ((1, 2), (2, 1))]
    torch.testing.assert_close(one.losses(one.output, one.batch)["attention"], sum(expected) / 2)


def test_without_a_weight_there_is_no_loss(scene):
    # Layers that neither model has are allowed then.
    nothing = {"layers": [[9, 9]]}
    one = scene({"hidden": nothing, "relations": {**nothing, "heads": 5}, "attention": nothing}, attention="sdpa")
    assert one.losses(one.output, one.batch) == {}
    assert not one.losses.needs_attentions
    assert not list(one.losses.parameters())


@pytest.mark.parametrize(
    ("changes", "signals", "sentences"),
    [
        ({"hidden": {"weight": 1.0}}, [0, 1, 2], []),
        (
            {"hidden": {"weight": 1.0}, "relations": {"weight": 1.0}},
            [1],
            [
                "hidden learns from the layers 1-1 (student-teacher) and not from 0-0, 2-2, because signals.layers holds [1]",
                "relations learns from the layers 2-2 (student-teacher) and not from 1-1, because signals.layers holds [1]",
            ],
        ),
    ],
)
def test_pairs_of_a_layer_map_without_signals_are_listed(build_student, tiny_bert, losses, changes, signals, sentences):
    student, teacher = build_student(BertForMaskedLM).bert, BertModel.from_pretrained(tiny_bert)
    assert LayerLosses(student, teacher, signals, COMPONENTS, losses("general", **changes)).describe() == sentences
    with pytest.raises(CompactLMError, match=r"signals\.layers (holds \[9\]|lacks)"):
        LayerLosses(student, teacher, [9], COMPONENTS, losses("general", **changes))


def test_a_student_without_attentions_is_refused(scene):
    one = scene(EACH["attention"], attention="sdpa")
    with pytest.raises(CompactLMError, match=r"the student .*attn_implementation='eager'") as caught:
        one.losses(one.output, one.batch)
    assert "\n" not in str(caught.value)


def test_a_saved_student_has_neither_projections_nor_teacher(scene, student_tokenizer, tmp_path):
    one = scene({name: {"weight": 1.0} for name in EACH})
    models.save(one.student, student_tokenizer, tmp_path)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as weights:
        names = set(weights.keys())
    assert names
    assert all(name.startswith(("bert.", "cls.")) for name in names | set(one.student.state_dict()))
    assert {name.split(".")[2] for name in one.losses.state_dict()} == {"projections"}
    learned = {id(parameter) for parameter in one.losses.parameters()}
    assert learned
    assert not learned & {id(parameter) for model in (one.student, one.teacher) for parameter in model.parameters()}


@pytest.mark.parametrize("loss", EACH)
def test_the_weight_of_a_row_multiplies_its_part_of_each_loss(scene, loss):
    found = {}
    for weights in (None, (1.0, 1.0), (0.0, 0.0), (3.0, 0.0), (0.0, 0.5), (3.0, 0.5)):
        one = scene(EACH[loss], rows=2)
        batch = one.batch if weights is None else {**one.batch, "weights": torch.tensor(weights)}
        found[weights] = one.losses(one.output, batch)[loss]
    assert torch.equal(found[1.0, 1.0], found[None])
    assert found[0.0, 0.0].item() == 0
    assert found[3.0, 0.0].item() > 0 < found[0.0, 0.5].item()
    torch.testing.assert_close(found[3.0, 0.5], found[3.0, 0.0] + found[0.0, 0.5])
    torch.testing.assert_close(found[None], found[3.0, 0.0] / 3 + 2 * found[0.0, 0.5])

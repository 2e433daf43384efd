"""The losses of general and task distillation. They train the student and never the teacher."""

import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.examples import GeneralExamples, TaskExamples
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.objectives import GeneralObjective, TaskObjective
from compactlm.distillation.signals.cache import CachedSignals, write_cache
from compactlm.distillation.signals.online import OnlineMasked, OnlineTask
from compactlm.student.building import principal_components
from compactlm.tasks.losses import hard_labels, soft_targets
from compactlm.training.loop import Settings, train
from tests.fixtures.builders import make_optimisation
from tests.fixtures.distilling import LOSSES

LAYERS, TEMPERATURE, WHOLE = [2, 0, 1], 2.0, 105  # WHOLE: all of the student's tokens
WEIGHTS = {
    "soft_weight": 0.5,
    "hard_weight": 0.25,
    "hidden": {"weight": 3.0},
    "relations": {"weight": 0.75},
    "embeddings": {"weight": 0.125},
}
FEW = make_optimisation(epochs=2, learning_rate=0.01, batch_tokens=128)


def build_objective(phase, student, teacher, losses, weights):
    params = losses(phase, **(weights or WEIGHTS))
    components = principal_components(teacher.bert.embeddings.word_embeddings.weight.detach(), 16)
    layer_losses = LayerLosses(student.bert, teacher.bert, LAYERS, components, params)
    if phase == "general":
        return GeneralObjective(student, layer_losses, params, TEMPERATURE)
    return TaskObjective(student, layer_losses, params, LOSSES)


@pytest.fixture
def general(masked_teacher, kept, masked, build_student, losses):
    """Return a factory of the objective of general distillation and its examples, with an online teacher."""
    return lambda **weights: (
        build_objective("general", build_student(BertForMaskedLM), masked_teacher, losses, weights),
        GeneralExamples(masked, OnlineMasked(masked_teacher, kept, LAYERS, WHOLE, TEMPERATURE), 2),
    )


@pytest.fixture
def task(task_teacher, kept, rows, build_student, losses):
    """Return a factory of the objective of a task and its examples, with an online teacher."""
    return lambda **weights: (
        build_objective("task", build_student(BertForSequenceClassification), task_teacher, losses, weights),
        TaskExamples(rows, OnlineTask(task_teacher, kept, LAYERS)),
    )


@pytest.fixture
def both(general, task):
    return {"general": general, "task": task}


@pytest.mark.parametrize("phase", ["general", "task"])
def test_the_loss_is_the_weighted_sum_and_trains_student_and_projections(both, phase):
    objective, examples = both[phase]()
    found = objective(**examples.batch(range(20), 0))
    weights = {name: value if name.endswith("_weight") else value["weight"] for name, value in WEIGHTS.items()}
    expected = sum(weight * found[name.removesuffix("_weight")] for name, weight in weights.items())
    assert set(found) == {"loss", "soft", "hard", "hidden", "relations", "embeddings"}
    assert all(torch.isfinite(value) and value > 0 for value in found.values())
    torch.testing.assert_close(found["loss"], expected)
    found["loss"].backward()
    missing = [name for name, parameter in objective.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    # A softmax over keys does not change when the same vector is added to all keys.
    assert not [name for name in missing if "key.bias" not in name]
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in examples.source.teacher.parameters())


@pytest.mark.parametrize("phase", ["general", "task"])
@pytest.mark.parametrize("loss", ["hard_weight", "hidden", "relations"])
def test_other_losses_need_no_soft_targets(both, phase, loss):
    objective, examples = both[phase](**{loss: WEIGHTS[loss]})
    batch = examples.batch(range(6), 0)
    found = objective(**{name: value for name, value in batch.items() if name == "teacher_states" or not name.startswith("teacher_")})
    assert "soft" not in found
    name = loss.removesuffix("_weight")
    torch.testing.assert_close(found["loss"], (WEIGHTS[loss] if loss == "hard_weight" else WEIGHTS[loss]["weight"]) * found[name])


@pytest.mark.parametrize("phase", ["general", "task"])
def test_losses_equal_those_of_the_full_models(both, kept, phase):
    objective, examples = both[phase]()
    batch = examples.batch(range(20), 1)
    found = objective(**batch)
    inputs, labels, weights = {"attention_mask": batch["attention_mask"]}, batch["labels"], batch.get("weights")
    with torch.inference_mode():
        own = objective.student(batch["input_ids"], **inputs).logits
        teacher = examples.source.teacher(torch.tensor(kept)[batch["input_ids"]], **inputs).logits
    if phase == "general":
        where = labels != -100
        assert 0 < where.sum() < batch["attention_mask"].sum() / 2
        own, teacher, labels = own[where], teacher[where][:, kept], labels[where]
    torch.testing.assert_close(found["soft"], soft_targets(own, teacher, TEMPERATURE, weights))
    torch.testing.assert_close(found["hard"], hard_labels(own, labels, weights))
    assert phase == "general" or found["hard"] != hard_labels(own, labels)


@pytest.mark.parametrize("phase", ["general", "task"])
def test_a_focal_gamma_lowers_the_loss_of_hard_labels(both, phase):
    found = []
    for gamma in (0.0, 2.0):
        objective, examples = both[phase](hard_weight=1.0, focal_gamma=gamma)
        found.append(objective(**examples.batch(range(20), 0))["hard"].item())
    assert 0 < found[1] < found[0]


def test_a_batch_without_a_masked_token_still_has_a_finite_loss(general):
    objective, examples = general()
    batch = examples.tokenized.model_inputs([0, 1])
    batch["labels"] = torch.full_like(batch["labels"], -100)
    found = objective(**batch, **examples.source.signals(batch, [0, 1]))
    assert found["soft"].item() == found["hard"].item() == 0
    assert torch.isfinite(found["loss"])
    found["loss"].backward()


def test_a_copy_of_the_teacher_has_no_loss(tiny_bert, tiny_tokenizer, losses, masked):
    teacher, student = (BertForMaskedLM.from_pretrained(tiny_bert).eval() for _ in range(2))
    params = losses("general", **WEIGHTS)
    source = OnlineMasked(teacher, list(range(len(tiny_tokenizer))), LAYERS, 9, TEMPERATURE)
    objective = GeneralObjective(student, LayerLosses(student.bert, teacher.bert, LAYERS, torch.eye(32), params), params, TEMPERATURE)
    found = objective(**GeneralExamples(masked, source, 2).batch(range(10), 0))
    assert all(found[name].item() == pytest.approx(0, abs=1e-5) for name in ("soft", "hidden", "relations", "embeddings"))
    assert found["hard"].item() > 1


@pytest.mark.parametrize("halves", [True, False])
@pytest.mark.parametrize("phase", ["general", "task"])
def test_training_on_the_cache_equals_training_online(both, phase, halves, tmp_path, rows, masked, monkeypatch):
    """The difference is that of rounding to half precision, and almost none without rounding."""
    if not halves:
        monkeypatch.setattr("compactlm.distillation.signals.cache.KEPT_AS", {"teacher_indices": torch.int32})
    found, states = [], []
    for cached in (False, True):
        objective, examples = both[phase]()
        if cached:
            tokenized = masked if phase == "general" else rows
            write_cache(tmp_path / phase, tokenized, examples.source, 400, phase)
            examples.source = CachedSignals(tmp_path / phase, tokenized)
        found.append(train(phase, objective, examples, FEW, Settings(1, log_every=2)).history)
        states.append(objective.state_dict())
    assert found[0][-1][0] >= 6
    for (step, online), (_, from_cache) in zip(*found, strict=True):
        assert from_cache == pytest.approx(online, rel=2e-3 if halves else 1e-5), step
    assert not halves or found[0] != found[1]
    distance, start = 0.0, both[phase]()[0].state_dict()
    for name, tensor in states[0].items():
        moved = (tensor - start[name]).norm()
        distance = max(distance, ((states[1][name] - tensor).norm() / moved).item() if moved > 0.1 else 0.0)
    assert distance < (0.05 if halves else 1e-4)


@pytest.mark.parametrize("phase", ["general", "task"])
def test_training_lowers_the_loss_and_never_changes_the_teacher(both, phase):
    objective, examples = both[phase]()
    teacher = examples.source.teacher
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    start = objective(**examples.batch(range(40), 0))["loss"].item()
    train(phase, objective, examples, FEW.model_copy(update={"epochs": 3}), Settings(1))
    assert objective(**examples.batch(range(40), 0))["loss"].item() < 0.9 * start
    assert all(torch.equal(tensor, teacher.state_dict()[name]) for name, tensor in before.items())
    assert not any(module.training for module in teacher.modules())


def test_the_weight_of_a_row_multiplies_all_its_losses(task, rows):
    objective, examples = task()
    labelled = [at for at, label in enumerate(rows.targets) if label is not None][:2]

    def found(first, second):
        examples.weights[labelled] = torch.tensor([first, second])
        return objective(**examples.batch(labelled, 0))

    nothing, one, other, both = found(0.0, 0.0), found(5.0, 0.0), found(0.0, 0.5), found(5.0, 0.5)
    assert all(value.item() == 0 for value in nothing.values())
    for name, value in both.items():
        assert one[name].item() > 0 < other[name].item()
        torch.testing.assert_close(value, one[name] + other[name])
    nothing["loss"].backward()
    assert not any(parameter.grad.any() for parameter in objective.parameters() if parameter.grad is not None)

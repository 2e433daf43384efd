"""General and task distillation: what their losses are made of, and that they train the student and nothing of the teacher."""

import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.examples import GeneralExamples, TaskExamples
from compactlm.distillation.losses.layer_losses import LayerLosses
from compactlm.distillation.losses.soft_targets import soft_targets
from compactlm.distillation.objectives import GeneralObjective, TaskObjective
from compactlm.distillation.signals.cache import CachedSignals, write_cache
from compactlm.distillation.signals.online import OnlineMasked, OnlineTask
from compactlm.student.building import principal_components
from compactlm.training.hard_labels import hard_labels
from compactlm.training.loop import Settings, set_dropout, train
from tests.fixtures.builders import make_optimisation

LAYERS, TEMPERATURE, WHOLE = [2, 0, 1], 2.0, 105  # WHOLE: of the student's tokens
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
    return (
        GeneralObjective(student, layer_losses, params, TEMPERATURE) if phase == "general" else TaskObjective(student, layer_losses, params)
    )


@pytest.fixture
def general(masked_teacher, kept, masked, build_student, losses):
    """A function that returns the objective of general distillation and its examples, with an online teacher."""
    return lambda top_k=WHOLE, **weights: (
        build_objective("general", build_student(BertForMaskedLM), masked_teacher, losses, weights),
        GeneralExamples(masked, OnlineMasked(masked_teacher, kept, LAYERS, top_k, TEMPERATURE), 2),
    )


@pytest.fixture
def task(task_teacher, kept, rows, build_student, losses):
    """The same of a task."""
    return lambda **weights: (
        build_objective("task", build_student(BertForSequenceClassification), task_teacher, losses, weights),
        TaskExamples(rows, OnlineTask(task_teacher, kept, LAYERS)),
    )


@pytest.fixture
def both(general, task):
    return {"general": general, "task": task}


@pytest.mark.parametrize("phase", ["general", "task"])
def test_the_loss_is_the_weighted_sum_and_teaches_student_and_projections(both, phase):
    objective, examples = both[phase]()
    found = objective(**examples.batch(range(20), 0))
    weights = {name: value if name.endswith("_weight") else value["weight"] for name, value in WEIGHTS.items()}
    expected = sum(weight * found[name.removesuffix("_weight")] for name, weight in weights.items())
    assert set(found) == {"loss", "soft", "hard", "hidden", "relations", "embeddings"}
    assert all(torch.isfinite(value) and value > 0 for value in found.values())
    torch.testing.assert_close(found["loss"], expected)
    found["loss"].backward()
    missing = [name for name, parameter in objective.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    # A softmax over keys does not change when all keys move alike.
    assert not [name for name in missing if "key.bias" not in name]
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in examples.source.teacher.parameters())


@pytest.mark.parametrize("phase", ["general", "task"])
@pytest.mark.parametrize("loss", ["hard_weight", "hidden", "relations"])
def test_without_soft_targets_none_are_needed(both, phase, loss):
    objective, examples = both[phase](**{loss: WEIGHTS[loss]})
    batch = examples.batch(range(6), 0)
    found = objective(**{name: value for name, value in batch.items() if name == "teacher_states" or not name.startswith("teacher_")})
    assert "soft" not in found
    name = loss.removesuffix("_weight")
    torch.testing.assert_close(found["loss"], (WEIGHTS[loss] if loss == "hard_weight" else WEIGHTS[loss]["weight"]) * found[name])


def test_losses_of_masked_tokens_are_those_of_the_whole_models(general, kept):
    objective, examples = general()
    batch = examples.batch(range(20), 1)
    found = objective(**batch)
    inputs = {"attention_mask": batch["attention_mask"]}
    with torch.inference_mode():
        own = objective.student(batch["input_ids"], **inputs).logits
        teacher = examples.source.teacher(torch.tensor(kept)[batch["input_ids"]], **inputs).logits
    where = batch["labels"] != -100
    assert 0 < where.sum() < batch["attention_mask"].sum() / 2
    torch.testing.assert_close(found["hard"], torch.nn.functional.cross_entropy(own[where], batch["labels"][where]))
    torch.testing.assert_close(found["soft"], soft_targets(own[where], teacher[where][:, kept], TEMPERATURE))


def test_the_likeliest_tokens_alone_teach_a_part_of_what_all_do(general):
    batches = [general(top_k) for top_k in (3, WHOLE)]
    few, whole = (objective(**examples.batch(range(20), 0))["soft"].item() for objective, examples in batches)
    assert 0 < few < whole


def test_losses_of_a_task_are_those_of_the_whole_models(task, kept):
    objective, examples = task()
    batch = examples.batch(range(20), 0)
    found = objective(**batch)
    inputs = {"attention_mask": batch["attention_mask"]}
    with torch.inference_mode():
        own = objective.student(batch["input_ids"], **inputs).logits
        teacher = examples.source.teacher(torch.tensor(kept)[batch["input_ids"]], **inputs).logits
    torch.testing.assert_close(found["soft"], soft_targets(own, teacher, TEMPERATURE, batch["weights"]))
    torch.testing.assert_close(found["hard"], hard_labels(own, batch["labels"], batch["weights"]))
    assert found["hard"] != hard_labels(own, batch["labels"])


@pytest.mark.parametrize("phase", ["general", "task"])
def test_rows_that_are_already_right_count_for_less_with_a_focus(both, phase):
    found = []
    for gamma in (0.0, 2.0):
        objective, examples = both[phase](hard_weight=1.0, focal_gamma=gamma)
        found.append(objective(**examples.batch(range(20), 0))["hard"].item())
    assert 0 < found[1] < found[0]


def test_rows_without_a_label_have_soft_targets_alone(task, rows):
    objective, examples = task()
    unlabelled = [at for at, label in enumerate(rows.labels) if label == -100][:3]
    found = objective(**examples.batch(unlabelled, 0))
    assert found["hard"].item() == 0
    assert found["soft"].item() > 0


def test_a_batch_without_a_masked_token_still_has_a_finite_loss(general):
    objective, examples = general()
    batch = examples.tokenized.model_inputs([0, 1])
    batch["labels"] = torch.full_like(batch["labels"], -100)
    found = objective(**batch, **examples.source.signals(batch, [0, 1]))
    assert found["soft"].item() == found["hard"].item() == 0
    assert torch.isfinite(found["loss"])
    found["loss"].backward()


def test_the_student_that_is_the_teacher_has_nothing_to_learn(tiny_bert, tiny_tokenizer, losses, masked):
    teacher, student = (BertForMaskedLM.from_pretrained(tiny_bert).eval() for _ in range(2))
    params = losses("general", **WEIGHTS)
    source = OnlineMasked(teacher, list(range(len(tiny_tokenizer))), LAYERS, 9, TEMPERATURE)
    objective = GeneralObjective(student, LayerLosses(student.bert, teacher.bert, LAYERS, torch.eye(32), params), params, TEMPERATURE)
    found = objective(**GeneralExamples(masked, source, 2).batch(range(10), 0))
    assert all(found[name].item() == pytest.approx(0, abs=1e-5) for name in ("soft", "hidden", "relations", "embeddings"))
    assert found["hard"].item() > 1


@pytest.mark.parametrize("halves", [True, False])
@pytest.mark.parametrize("phase", ["general", "task"])
def test_training_on_the_cache_is_training_online(both, phase, halves, tmp_path, rows, masked, monkeypatch):
    """Within the rounding to half precision, and where nothing is rounded all but the same."""
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
def test_training_leaves_the_teacher_as_it_was_and_lowers_the_loss(both, phase):
    objective, examples = both[phase]()
    teacher = examples.source.teacher
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    start = objective(**examples.batch(range(40), 0))["loss"].item()
    train(phase, objective, examples, FEW.model_copy(update={"epochs": 3}), Settings(1))
    assert objective(**examples.batch(range(40), 0))["loss"].item() < 0.9 * start
    assert all(torch.equal(tensor, teacher.state_dict()[name]) for name, tensor in before.items())
    assert not any(module.training for module in teacher.modules())


def test_the_student_can_learn_what_the_teacher_says(task):
    objective, examples = task(soft_weight=1.0)
    classifier = examples.source.teacher.classifier
    with torch.no_grad():
        classifier.weight *= 20
        answers = examples.source.signals(examples.tokenized.model_inputs(range(40)), range(40))["teacher_logits"]
        classifier.bias -= answers.mean(dim=0)
    batch = examples.batch(range(40), 0)
    theirs = batch["teacher_logits"].argmax(dim=1)
    assert 10 < theirs.sum() < 30
    train("task", objective, examples, FEW.model_copy(update={"epochs": 40}), Settings(1))
    with torch.inference_mode():
        own = objective.student.eval()(batch["input_ids"], attention_mask=batch["attention_mask"]).logits.argmax(dim=1)
    assert (own == theirs).float().mean() > 0.88


@pytest.mark.parametrize("phase", ["general", "task"])
def test_dropout_is_of_the_student_alone(both, phase):
    objective, examples = both[phase]()
    set_dropout(objective.student, 0.5)
    objective.train()
    batches = [examples.batch(range(6), 0) for _ in range(2)]
    assert all(torch.equal(batches[0][name], tensor) for name, tensor in batches[1].items())
    assert objective(**batches[0])["loss"] != objective(**batches[0])["loss"]


def test_a_rows_weight_weighs_its_whole_loss(task, rows):
    objective, examples = task()
    labelled = [at for at, label in enumerate(rows.labels) if label >= 0][:2]

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

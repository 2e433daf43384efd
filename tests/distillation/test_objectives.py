"""General and task distillation: what their losses are made of and what they train."""

import pytest
import torch
from transformers import BertForMaskedLM

from compactlm.distillation import models
from compactlm.distillation.general import GeneralObjective, build_projections
from compactlm.distillation.losses.soft_targets import soft_targets
from compactlm.distillation.masking import MaskedSequences
from compactlm.distillation.signals import MaskedSignals, TaskSignals, uniform_layers
from compactlm.distillation.task import TaskObjective, TaskSequences, build_task_student
from compactlm.distillation.training import Settings, train
from compactlm.params import GeneralDistillation, Optimisation, Student, TaskDistillation
from compactlm.student.building import build_config, build_student
from compactlm.student.vocabulary import build_tokenizer, choose_vocabulary, count_pieces, id_map

OPTIMISATION = Optimisation(epochs=1, learning_rate=0.001, weight_decay=0.01, warmup=0.1, batch_tokens=256, dropout=0.0)
WEIGHTS = {"temperature": 2.0, "soft_weight": 0.5, "hard_weight": 0.25, "hidden_weight": 3.0, "optimisation": OPTIMISATION}
GENERAL = GeneralDistillation(sequences=10, mask_rate=0.3, **WEIGHTS)
TASK = TaskDistillation(unlabelled=[], unlabelled_sequences=0, hidden_layers=1, **WEIGHTS)
SHAPE = Student(layers=1, hidden_size=16, attention_heads=2, intermediate_size=24, vocabulary_size=105, maximum_positions=64, budget=1.0)


@pytest.fixture(scope="module")
def tokenizer(tiny_tokenizer, tiny_texts):
    counts = count_pieces(tiny_tokenizer(tiny_texts, add_special_tokens=False)["input_ids"])
    pieces = choose_vocabulary(tiny_tokenizer.get_vocab(), counts, SHAPE.vocabulary_size)
    return build_tokenizer(tiny_tokenizer, pieces, SHAPE.maximum_positions)


@pytest.fixture
def general(tiny_bert, tiny_tokenizer, tokenizer):
    """A fresh objective of general distillation of the tiny teacher into a smaller student."""
    teacher, ids = BertForMaskedLM.from_pretrained(tiny_bert), id_map(tiny_tokenizer, tokenizer)
    student, components = build_student(build_config(SHAPE, len(ids)), teacher, ids, seed=1)
    layers = uniform_layers(SHAPE.layers, 2)
    return GeneralObjective(student, MaskedSignals(teacher, ids, layers), build_projections(components, len(layers)), GENERAL)


@pytest.fixture
def examples(tokenizer, tiny_texts):
    return MaskedSequences(tokenizer(tiny_texts)["input_ids"], tokenizer, 0.3, "1/general")


@pytest.fixture
def task_student(general):
    return build_task_student(general.student, ["bad", "good"], seed=2)


def task_examples(sequences, projections):
    generator = torch.Generator().manual_seed(4)
    starts = torch.tensor([0, *map(len, sequences)]).cumsum(0)
    hidden = torch.randn(int(starts[-1]), len(projections), 32, generator=generator).half()
    signals = TaskSignals(torch.randn(len(sequences), 2, generator=generator), hidden, starts)
    labels = [(0, 1, -100)[at % 3] for at in range(len(sequences))]
    return TaskSequences(sequences, signals, labels, [1.0] * len(sequences))


def check_gradients(objective, losses):
    losses["loss"].backward()
    for part in ("student", "projections"):
        gradients = {name: parameter.grad for name, parameter in getattr(objective, part).named_parameters()}
        missing = [name for name, gradient in gradients.items() if gradient is None or not gradient.abs().sum() > 0]
        # A softmax over keys does not change when all keys move alike; nothing reads the pooler of a masked language model.
        assert not [name for name in missing if "key.bias" not in name and "pooler" not in name]


def check_sum(losses, params):
    parts = params.soft_weight * losses["soft"] + params.hard_weight * losses["hard"] + params.hidden_weight * losses["hidden"]
    torch.testing.assert_close(losses["loss"], parts)
    assert all(torch.isfinite(value) and value > 0 for value in losses.values())


def test_projections_start_from_the_components():
    components = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    projections = build_projections(components, 4)
    vectors = torch.randn(2, 3)
    assert len(projections) == 4
    for projection in projections:
        torch.testing.assert_close(projection(vectors), vectors @ components)
    assert len({id(projection.weight) for projection in projections}) == 4


def test_general_losses_teach_the_student_and_the_projections(general, examples):
    general.train()
    losses = general(**examples.batch(range(20), 0))
    check_sum(losses, GENERAL)
    check_gradients(general, losses)
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in general.signals.parameters())


def test_hard_labels_and_soft_targets_are_of_the_masked_positions(general, examples):
    general.eval()
    batch = examples.batch(range(20), 0)
    losses = general(**batch)
    with torch.inference_mode():
        own = general.student(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        teacher = general.signals.teacher(general.signals.id_map[batch["input_ids"]], attention_mask=batch["attention_mask"]).logits
    where = batch["labels"] != -100
    assert 0 < where.sum() < batch["attention_mask"].sum() / 2
    torch.testing.assert_close(losses["hard"], torch.nn.functional.cross_entropy(own[where], batch["labels"][where]))
    expected = soft_targets(own[where], teacher[where][:, general.signals.id_map], GENERAL.temperature)
    torch.testing.assert_close(losses["soft"], expected)


def test_the_student_that_is_the_teacher_has_nothing_to_learn(tiny_bert, tiny_tokenizer, tiny_sequences):
    teacher, student = (BertForMaskedLM.from_pretrained(tiny_bert).eval() for _ in range(2))
    signals = MaskedSignals(teacher, list(range(len(tiny_tokenizer))), [0, 1, 2])
    objective = GeneralObjective(student, signals, build_projections(torch.eye(32), 3), GENERAL)
    losses = objective(**MaskedSequences(tiny_sequences, tiny_tokenizer, 0.3, "1").batch(range(10), 0))
    assert losses["soft"].item() == pytest.approx(0, abs=1e-5)
    assert losses["hidden"].item() == pytest.approx(0, abs=1e-5)
    assert losses["hard"].item() > 1


def test_a_batch_without_a_masked_piece_still_has_a_finite_loss(general, examples):
    batch = examples.batch([0], 0)
    batch["labels"] = torch.full_like(batch["labels"], -100)
    losses = general(**batch)
    assert losses["soft"].item() == losses["hard"].item() == 0
    assert torch.isfinite(losses["loss"])
    losses["loss"].backward()


def test_general_distillation_leaves_the_teacher_as_it_was(general, examples):
    before = {name: tensor.clone() for name, tensor in general.signals.state_dict().items()}
    assert before
    plan = OPTIMISATION.model_copy(update={"epochs": 4, "learning_rate": 0.01})
    summary = train("general", general, examples, plan, Settings(1))
    assert all(torch.equal(tensor, general.signals.state_dict()[name]) for name, tensor in before.items())
    assert not any(module.training for module in general.signals.modules())
    assert summary.history[-1][1]["loss"] < summary.history[0][1]["loss"]


def test_a_pair_of_layers_that_is_missing_is_an_error(general, examples):
    general.projections = general.projections[:1]
    with pytest.raises(ValueError, match="zip"):
        general(**examples.batch([0, 1], 0))


def test_the_saved_student_is_a_plain_bert_without_projections(general, tokenizer, tmp_path):
    from safetensors import safe_open

    models.save(general.student, tokenizer, tmp_path)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as weights:
        names = list(weights.keys())
    assert names
    assert not [name for name in names if not name.startswith(("bert.", "cls."))]
    again, has_head = models.load_masked_lm(tmp_path)
    assert has_head
    inputs = tokenizer("the film was good", return_tensors="pt")
    with torch.inference_mode():
        assert torch.equal(again.eval()(**inputs).logits, general.student.eval()(**inputs).logits)


def test_a_task_student_has_the_body_of_the_general_one(general, task_student):
    general.eval()
    assert task_student.config.id2label == {0: "bad", 1: "good"}
    assert task_student.config.label2id == {"bad": 0, "good": 1}
    for name, tensor in general.student.bert.state_dict().items():
        assert torch.equal(task_student.bert.state_dict()[name], tensor)
    with torch.no_grad():
        task_student.bert.embeddings.word_embeddings.weight.zero_()
    assert general.student.bert.embeddings.word_embeddings.weight.abs().sum() > 0
    assert general.student.config.num_labels == 2


def test_the_head_of_a_task_student_depends_on_the_seed_alone(general):
    one, again, other = (build_task_student(general.student, ["a", "b", "c"], seed).classifier.weight for seed in (1, 1, 2))
    assert one.shape == (3, 16)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_task_losses_teach_the_student_and_the_projections(general, task_student, examples):
    rows = task_examples(examples.sequences, general.projections)
    objective = TaskObjective(task_student, general.projections, TASK).train()
    losses = objective(**rows.batch(range(12), 0))
    check_sum(losses, TASK)
    check_gradients(objective, losses)


def test_task_weights_count_rows(general, task_student, examples):
    rows = task_examples(examples.sequences, general.projections)
    objective = TaskObjective(task_student, general.projections, TASK).eval()
    full = objective(**rows.batch([0, 1], 0))
    rows.weights = rows.weights * 2
    twice = objective(**rows.batch([0, 1], 0))
    torch.testing.assert_close(twice["soft"], 2 * full["soft"])
    torch.testing.assert_close(twice["hard"], 2 * full["hard"])
    unlabelled = objective(**rows.batch([2, 5], 0))
    assert unlabelled["hard"].item() == 0
    assert unlabelled["soft"].item() > 0


def test_a_task_batch_holds_the_rows_that_were_asked_for(general, examples):
    rows = task_examples(examples.sequences, general.projections)
    batch = rows.batch([7, 2], 0)
    assert batch["labels"].tolist() == [1, -100]
    assert torch.equal(batch["teacher_logits"], rows.signals.logits[[7, 2]])
    assert torch.equal(batch["teacher_hidden"], rows.signals.padded_hidden([7, 2]))
    assert batch["teacher_hidden"].shape[:2] == batch["input_ids"].shape
    assert batch["input_ids"][0, : rows.lengths[7]].tolist() == examples.sequences[7]


@pytest.mark.parametrize("short", ["signals", "labels", "weights"])
def test_rows_and_signals_of_different_length_are_an_error(examples, short):
    sizes = {name: 2 if name == short else 3 for name in ("signals", "labels", "weights")}
    signals = TaskSignals(torch.zeros(sizes["signals"], 2), torch.zeros(9, 1, 32), torch.arange(sizes["signals"] + 1))
    with pytest.raises(ValueError, match="differ in length"):
        TaskSequences(examples.sequences[:3], signals, [0] * sizes["labels"], [1.0] * sizes["weights"])


def test_the_student_can_learn_what_the_teacher_says(general, task_student, examples):
    rows = task_examples(examples.sequences, general.projections)
    good = torch.tensor([float(6 in sequence or len(sequence) % 2) for sequence in rows.sequences])
    rows.signals.logits[:] = torch.stack([-good, good], dim=1) * 4 - 2
    rows.labels[:] = good.long()
    soft_alone = TASK.model_copy(update={"soft_weight": 1.0, "hard_weight": 0.0, "hidden_weight": 0.0})
    objective = TaskObjective(task_student, general.projections, soft_alone)
    plan = OPTIMISATION.model_copy(update={"epochs": 15, "learning_rate": 0.01})
    summary = train("task", objective, rows, plan, Settings(1))
    assert summary.history[-1][1]["soft"] < 0.7 * summary.history[0][1]["soft"]

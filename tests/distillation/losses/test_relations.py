import math
from contextlib import closing

import pytest
import torch
from transformers import BertModel

from compactlm.distillation.losses.relations import StateRecorder, relation_loss, teacher_states
from tests.fixtures.builders import noise

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def states(seed, width, count=3):
    return tuple(noise(count, 2, 4, width, seed=seed))


@pytest.fixture
def bert(tiny_bert):
    return BertModel.from_pretrained(tiny_bert).eval()


@pytest.fixture
def inputs():
    return {"input_ids": torch.tensor([[4, 40, 41, 5], [4, 5, 0, 0]]), "attention_mask": MASK}


def test_the_relation_of_two_tokens_by_hand():
    # One head of width 4 for the teacher and of width 1 for the student; the scores are divided by 2 and by 1.
    teacher, student = torch.tensor([[[2.0, 0, 0, 0], [0, 2.0, 0, 0]]]), torch.tensor([[[1.0], [2.0]]])
    own, theirs = torch.tensor([[1.0, 2.0], [2.0, 4.0]]), torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    expected = 0.0
    for q, p in zip(own.softmax(dim=-1).tolist(), theirs.softmax(dim=-1).tolist(), strict=True):
        expected += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) / 2
    assert relation_loss([student], [teacher], torch.ones(1, 2), 1).item() == pytest.approx(expected, rel=1e-5)


def test_a_loss_is_the_sum_over_states_and_the_mean_over_heads():
    student, teacher = states(0, 6), states(1, 12)
    by_state = sum(relation_loss([own], [theirs], MASK, 3) for own, theirs in zip(student, teacher, strict=True))
    loss = relation_loss(student, teacher, MASK, 3)
    torch.testing.assert_close(loss, by_state)
    slices = [
        ([each[..., 2 * head : 2 * head + 2] for each in student], [each[..., 4 * head : 4 * head + 4] for each in teacher])
        for head in range(3)
    ]
    torch.testing.assert_close(loss, sum(relation_loss(own, theirs, MASK, 1) for own, theirs in slices) / 3)


def test_a_loss_is_the_mean_over_the_tokens_of_all_rows():
    student, teacher = states(0, 6), states(1, 12)
    rows = [
        relation_loss([s[row : row + 1] for s in student], [t[row : row + 1] for t in teacher], MASK[row : row + 1], 2) for row in (0, 1)
    ]
    torch.testing.assert_close(relation_loss(student, teacher, MASK, 2), (4 * rows[0] + 2 * rows[1]) / 6)


def test_relations_are_computed_in_full_precision_under_autocast():
    student, teacher = states(0, 6), states(1, 12)
    expected = relation_loss(student, teacher, MASK, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(relation_loss(student, teacher, MASK, 2), expected)
    assert relation_loss([each.bfloat16() for each in student], teacher, MASK, 2).dtype == torch.float32


@pytest.mark.parametrize(
    ("student", "teacher", "count", "message"), [(6, 12, 3, "student's width 6"), (12, 6, 3, "teacher's width 6"), (12, 12, 2, "zip")]
)
def test_widths_that_do_not_split_and_missing_states_are_errors(student, teacher, count, message):
    with pytest.raises(ValueError, match=message):
        relation_loss(states(0, student, count), states(1, teacher), MASK, 4)


def test_recorded_states_are_those_of_the_teacher_and_leave_the_output_unchanged(bert, inputs):
    before = bert(**inputs, output_hidden_states=True).last_hidden_state
    hooks = [len(module._forward_hooks) for module in bert.modules()]  # transformers leaves hooks of its own
    with closing(StateRecorder(bert, [0, 1])) as recorder, torch.no_grad():
        hidden = bert(**inputs, output_hidden_states=True).hidden_states
        assert torch.equal(hidden[-1], before)
        for layer in (0, 1):
            module = bert.encoder.layer[layer]
            for one, other in zip(recorder.take(layer), teacher_states(module, hidden[layer]), strict=True):
                assert one.shape == (2, 4, 32)
                assert torch.equal(one, other)
            assert torch.equal(teacher_states(module, hidden[layer])[2], module.attention.self.value(hidden[layer]))
    assert [len(module._forward_hooks) for module in bert.modules()] == hooks


def test_only_the_students_states_carry_a_gradient(bert, inputs):
    with closing(StateRecorder(bert, [1])) as recorder:
        hidden = bert(**inputs, output_hidden_states=True).hidden_states
        own = recorder.take(1)
    theirs = teacher_states(bert.encoder.layer[0], hidden[0])
    assert not any(each.requires_grad for each in theirs)
    relation_loss(own, theirs, MASK, 4).backward()
    assert bert.encoder.layer[0].output.dense.weight.grad.abs().sum() > 0
    for part in ("query", "key", "value"):
        assert getattr(bert.encoder.layer[1].attention.self, part).weight.grad.abs().sum() > 0
        assert getattr(bert.encoder.layer[0].attention.self, part).weight.grad.abs().sum() > 0
    assert bert.encoder.layer[1].output.dense.weight.grad is None


def test_states_can_be_taken_once_after_each_forward_pass(bert, inputs):
    recorder = StateRecorder(bert, [1])
    with pytest.raises(LookupError, match="no states of layer 1"):
        recorder.take(1)
    bert(**inputs)
    bert(inputs["input_ids"][:1, :2])
    assert recorder.take(1)[0].shape == (1, 2, 32)
    with pytest.raises(LookupError, match="no states of layer 1"):
        recorder.take(1)
    bert(**inputs)
    with pytest.raises(LookupError, match="no states of layer 0"):
        recorder.take(0)
    recorder.close()
    bert(**inputs)
    with pytest.raises(LookupError, match="no states of layer 1"):
        recorder.take(1)
    recorder.close()

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.batches import pad
from compactlm.distillation.signals import MaskedSignals, collect_task_signals, uniform_layers
from compactlm.student.vocabulary import SPECIAL


@pytest.fixture(scope="module")
def kept(tiny_tokenizer):
    """The id map of a student that keeps the special tokens and every other ordinary piece."""
    vocabulary = tiny_tokenizer.get_vocab()
    return sorted({vocabulary[piece] for piece in SPECIAL} | set(range(8, len(vocabulary), 2)))


@pytest.fixture(scope="module")
def rows(kept):
    """Some sequences of the student's ids, of different lengths."""
    generator = torch.Generator().manual_seed(3)
    return [torch.randint(5, len(kept), (4 + at % 9,), generator=generator).tolist() for at in range(23)]


@pytest.mark.parametrize(
    ("student", "teacher", "expected"),
    [
        (4, 6, [0, 2, 3, 5, 6]),
        (6, 12, [0, 2, 4, 6, 8, 10, 12]),
        (3, 3, [0, 1, 2, 3]),
        (1, 6, [0, 6]),
        (2, 5, [0, 3, 5]),
        (4, 2, [0, 1, 1, 2, 2]),
    ],
)
def test_uniform_layers(student, teacher, expected):
    assert uniform_layers(student, teacher) == expected


@given(student=st.integers(1, 48), teacher=st.integers(1, 48))
def test_layers_go_from_the_embeddings_to_the_last_without_going_back(student, teacher):
    layers = uniform_layers(student, teacher)
    assert len(layers) == student + 1
    assert (layers[0], layers[-1]) == (0, teacher)
    assert layers == sorted(layers)
    if student <= teacher:
        assert len(set(layers)) == student + 1


def test_masked_signals_are_the_teachers_logits_over_the_students_pieces(tiny_bert, kept, rows):
    teacher = BertForMaskedLM.from_pretrained(tiny_bert)
    input_ids, attention_mask = pad(rows)
    where = (torch.arange(input_ids.shape[1]) % 3 == 1) & attention_mask.bool()
    logits, hidden = MaskedSignals(teacher, kept, [0, 1, 2])(input_ids, attention_mask, where)
    with torch.inference_mode():
        whole = teacher.eval()(torch.tensor(kept)[input_ids], attention_mask=attention_mask, output_hidden_states=True)
    assert logits.shape == (int(where.sum()), len(kept))
    torch.testing.assert_close(logits, whole.logits[where][:, kept], atol=1e-5, rtol=1e-5)
    assert len(hidden) == 3
    for found, expected in zip(hidden, whole.hidden_states, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_teacher_never_trains(tiny_bert, kept, rows):
    signals = MaskedSignals(BertForMaskedLM.from_pretrained(tiny_bert), kept, [2])
    parent = torch.nn.Sequential(signals).train()
    assert parent.training
    assert not any(module.training for module in signals.modules())
    assert not any(parameter.requires_grad for parameter in signals.parameters())
    input_ids, attention_mask = pad(rows[:3])
    one, two = (signals(input_ids, attention_mask, attention_mask.bool()) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert not one[0].requires_grad


def test_task_signals_are_a_direct_forward_in_the_order_given(tiny_classifier, kept, rows):
    teacher = BertForSequenceClassification.from_pretrained(tiny_classifier).train()
    found = collect_task_signals(teacher, rows, kept, [0, 2], 30, "signals")
    assert not teacher.training
    assert found.logits.shape == (len(rows), 2)
    assert found.hidden.shape == (sum(map(len, rows)), 2, 32)
    padded = found.padded_hidden(range(len(rows)))
    assert padded.shape == (len(rows), max(map(len, rows)), 2, 32)
    assert found.hidden.dtype == torch.float16
    for at, row in enumerate(rows):
        with torch.inference_mode():
            output = teacher(torch.tensor([[kept[piece] for piece in row]]), output_hidden_states=True)
        torch.testing.assert_close(found.logits[at], output.logits[0], atol=1e-5, rtol=1e-4)
        expected = torch.stack([output.hidden_states[layer][0] for layer in (0, 2)], dim=1)
        torch.testing.assert_close(padded[at, : len(row)], expected, atol=5e-3, rtol=1e-3)
        assert not padded[at, len(row) :].any()

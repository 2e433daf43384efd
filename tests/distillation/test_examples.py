import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.examples import GeneralExamples, TaskExamples, TaskRows, task_rows
from compactlm.distillation.signals.cache import CachedSignals, write_cache
from compactlm.distillation.signals.online import OnlineMasked, OnlineTask
from compactlm.errors import CompactLMError
from tests.fixtures.distilling import TASK

ROWS = [30, 7, 2, 39, 11]


class Source:
    """A source whose signals are the requested rows."""

    layers = ()

    def __init__(self):
        self.asked = []

    def signals(self, batch, rows):
        self.asked.append(list(rows))
        return {"teacher_rows": torch.tensor(rows)}


@pytest.fixture
def examples(tiny_bert, tiny_classifier, kept, masked, rows, tmp_path):
    """Examples of both phases by name, with the signals of an online teacher (with attentions) or of a cache."""
    eager = {"attn_implementation": "eager"}
    masked_teacher = OnlineMasked(BertForMaskedLM.from_pretrained(tiny_bert, **eager), kept, [0, 2], 5, 1.0, attentions=True)
    task_teacher = OnlineTask(BertForSequenceClassification.from_pretrained(tiny_classifier, **eager), kept, [0, 2], attentions=True)
    found = {"general online": GeneralExamples(masked, masked_teacher, 2), "task online": TaskExamples(rows, task_teacher)}
    tokenized = {"general": masked, "task": rows}
    for phase, teacher in (("general", masked_teacher), ("task", task_teacher)):
        teacher.attentions = False
        write_cache(tmp_path / phase, tokenized[phase], teacher, 500, phase)
        teacher.attentions = True
    found["general cached"] = GeneralExamples(masked, CachedSignals(tmp_path / "general", masked), 2)
    found["task cached"] = TaskExamples(rows, CachedSignals(tmp_path / "task", tokenized["task"]))
    return found


@pytest.mark.parametrize("name", ["general online", "task online", "general cached", "task cached"])
def test_a_part_of_a_batch_equals_the_batch_of_these_rows(examples, name):
    # Training in several processes cuts all tensors of a batch by rows.
    one = examples[name]
    batch = one.batch(ROWS, 1)
    assert ("teacher_attentions" in batch) == ("online" in name)
    assert {"teacher_states", "input_ids", "attention_mask", "labels"} < set(batch)
    assert ("teacher_values" in batch) == ("general" in name)
    for process in (0, 1):
        part = one.batch(ROWS[process::2], 1)
        assert set(part) == set(batch)
        real = part["attention_mask"]
        # The teacher's states and attentions at padding are not used, and depend on the length of the batch.
        used = {"teacher_attentions": real[:, None, None, :, None], "teacher_states": real[:, :, None, None]}
        for key, expected in part.items():
            assert len(batch[key]) == len(ROWS), key
            cut = batch[key][process::2][tuple(slice(size) for size in expected.shape)]
            factor = used.get(key, torch.ones((), dtype=torch.int64))
            torch.testing.assert_close(cut * factor, expected * factor, atol=1e-5, rtol=1e-3)


def test_an_epoch_reads_each_sequence_in_one_masking(masked, rows):
    source = Source()
    examples = GeneralExamples(masked, source, 2)
    assert (len(examples.lengths), len(examples.ids)) == (40, 40)
    assert examples.lengths == [len(sequence) for sequence in rows.sequences]
    for epoch in range(5):
        batch = examples.batch(ROWS, epoch)
        asked = [epoch % 2 * 40 + position for position in ROWS]
        assert source.asked[-1] == batch["teacher_rows"].tolist() == asked
        assert all(torch.equal(batch[name], tensor) for name, tensor in masked.model_inputs(asked).items())
    batches = [examples.batch(ROWS, epoch)["labels"] for epoch in range(4)]
    assert not torch.equal(batches[0], batches[1])
    assert torch.equal(batches[0], batches[2])
    assert torch.equal(batches[1], batches[3])


def test_task_examples_keep_labels_weights_and_signals_with_their_rows(rows):
    source = Source()
    batch = TaskExamples(rows, source).batch(ROWS, 3)
    assert source.asked == [ROWS]
    assert batch["labels"].tolist() == [-100 if rows.targets[row] is None else rows.targets[row][0] for row in ROWS]
    assert batch["weights"].tolist() == [rows.weights[row] for row in ROWS]
    assert batch["weights"].dtype == torch.float32
    for line, row in enumerate(ROWS):
        length = len(rows.sequences[row])
        assert batch["input_ids"][line, :length].tolist() == rows.sequences[row]
        assert batch["attention_mask"][line].tolist() == [1] * length + [0] * (batch["input_ids"].shape[1] - length)


def test_examples_without_a_teacher_have_no_signals(masked, rows):
    assert set(GeneralExamples(masked, None, 2).batch([0], 0)) == {"input_ids", "attention_mask", "labels"}
    assert set(TaskExamples(rows, None).batch([0], 0)) == {"input_ids", "attention_mask", "labels", "weights"}


def row(name, task=None, label=None):
    return {"id": name, "source": "s", "task": task, "label": label, "input_ids": [len(name)]}


@pytest.mark.parametrize(("weights", "expected"), [({"a": 0.5, "b.c": 2.0}, [0.5, 2.0, 1.0]), (None, [1.0, 1.0, 1.0])])
def test_labelled_rows_have_the_weights_of_their_documents(weights, expected):
    labelled = [row("a.0", "t", "yes"), row("b.c.0", "t", "no"), row("x.0", "other", "maybe"), row("u.0")]
    found = task_rows("t", TASK, labelled, [row("v.3")], weights)
    assert found == TaskRows(["a.0", "b.c.0", "v.3"], [[3], [5], [3]], [[1.0], [0.0], None], expected)


def test_a_row_without_a_weight_is_refused():
    labelled = [row("a.0", "t", "yes"), row("b.0", "t", "no"), row("c.0", "t", "no")]
    with pytest.raises(CompactLMError, match=r"2 rows of task t have no example weight in data/weighted \(first: b\); run `dvc repro`"):
        task_rows("t", TASK, labelled, [], {"a": 1.0})

import pytest
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from compactlm.distillation.signals.online import OnlineMasked, OnlineTask, position_mask
from compactlm.errors import CompactLMError
from compactlm.export.onnx_body import OnnxBody

ROWS = range(40)


@torch.no_grad()
def run_teacher(teacher, kept, batch):
    """Run the teacher of transformers on the student's tokens."""
    ids = torch.tensor(kept)[batch["input_ids"]]
    return teacher.eval()(ids, attention_mask=batch["attention_mask"], output_hidden_states=True)


@pytest.mark.parametrize(("top_k", "temperature"), [(1, 1.0), (7, 2.5)])
def test_signals_of_masked_tokens_equal_those_of_transformers(masked_teacher, kept, masked, top_k, temperature):
    batch = masked.model_inputs(ROWS)
    answers = OnlineMasked(masked_teacher, kept, [2, 0], top_k, temperature).signals(batch, ROWS)
    expected = run_teacher(masked_teacher, kept, batch)
    assert set(answers) == {"teacher_states", "teacher_values", "teacher_indices", "teacher_log_rest"}
    for at, layer in enumerate((2, 0)):
        torch.testing.assert_close(answers["teacher_states"][:, :, at], expected.hidden_states[layer], atol=1e-5, rtol=1e-5)
    longest = 0
    for row in ROWS:
        masked_places = [at for at, label in enumerate(batch["labels"][row].tolist()) if label >= 0]
        longest = max(longest, len(masked_places))
        for place, token in enumerate(masked_places):
            logits = expected.logits[row, token, kept]
            indices = answers["teacher_indices"][row, place]
            torch.testing.assert_close(answers["teacher_values"][row, place], logits.sort(descending=True).values[:top_k])
            torch.testing.assert_close(logits[indices], answers["teacher_values"][row, place])
            rest = torch.ones(len(kept), dtype=torch.bool).index_fill(0, indices, False)
            torch.testing.assert_close(answers["teacher_log_rest"][row, place], (logits[rest] / temperature).logsumexp(dim=0))
        for name in ("values", "indices", "log_rest"):
            assert not answers[f"teacher_{name}"][row, len(masked_places) :].any()
    assert answers["teacher_values"].shape == answers["teacher_indices"].shape == (40, longest, top_k)
    assert answers["teacher_indices"].dtype == torch.int64


def test_a_top_k_beyond_the_vocabulary_leaves_no_rest(masked_teacher, kept, masked):
    batch = masked.model_inputs(ROWS)
    answers = OnlineMasked(masked_teacher, kept, [0], 500, 1.0).signals(batch, ROWS)
    there = position_mask(batch["labels"] >= 0)
    assert answers["teacher_values"].shape[2] == len(kept)
    assert (answers["teacher_log_rest"][there] == float("-inf")).all()
    assert sorted(answers["teacher_indices"][there][0].tolist()) == list(range(len(kept)))


def test_signals_of_a_task_equal_those_of_transformers(task_teacher, kept, masked):
    batch = masked.model_inputs(ROWS)
    answers = OnlineTask(task_teacher, kept, [1]).signals(batch, ROWS)
    expected = run_teacher(task_teacher, kept, batch)
    assert set(answers) == {"teacher_states", "teacher_logits"}
    torch.testing.assert_close(answers["teacher_logits"], expected.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(answers["teacher_states"], expected.hidden_states[1][:, :, None], atol=1e-5, rtol=1e-5)
    assert expected.logits.std() > 0.01


def test_another_body_reads_in_place_of_the_teachers(task_teacher, kept, masked):
    batch = masked.model_inputs(ROWS)
    body = OnnxBody(task_teacher.eval().bert, False, threads=1, layers=[0, 2])
    answers, expected = (OnlineTask(task_teacher, kept, [0, 2], body=read).signals(batch, ROWS) for read in (body, None))
    torch.testing.assert_close(answers["teacher_logits"], expected["teacher_logits"], atol=1e-5, rtol=1e-5)
    real = batch["attention_mask"].bool()
    torch.testing.assert_close(answers["teacher_states"][real], expected["teacher_states"][real], atol=1e-5, rtol=1e-5)


@pytest.fixture
def sources(masked_teacher, task_teacher, kept):
    return [OnlineMasked(masked_teacher.train(), kept, [0, 2], 5, 1.0), OnlineTask(task_teacher.train(), kept, [0, 2])]


def test_the_signals_of_a_row_do_not_depend_on_the_batch(sources, masked):
    for source in sources:
        together = source.signals(masked.model_inputs([7, 30, 3]), [7, 30, 3])
        for line, row in enumerate((7, 30, 3)):
            for name, alone in source.signals(masked.model_inputs([row]), [row]).items():
                within = (slice(line, line + 1), *(slice(size) for size in alone.shape[1:]))
                torch.testing.assert_close(together[name][within], alone, atol=1e-5, rtol=1e-4)


def test_the_teacher_never_trains(sources, masked):
    for source in sources:
        assert not any(module.training for module in source.teacher.modules())
        assert not any(parameter.requires_grad for parameter in source.teacher.parameters())
        batch = masked.model_inputs([0, 1])
        one, two = source.signals(batch, [0, 1]), source.signals(batch, [0, 1])
        assert all(torch.equal(one[name], two[name]) and not one[name].requires_grad for name in one)


def test_signals_are_float32_when_the_teacher_runs_in_bfloat16(masked_teacher, task_teacher, kept, masked):
    batch = masked.model_inputs(ROWS)
    for build in (
        lambda precision: OnlineMasked(masked_teacher, kept, [2], 105, 1.0, precision=precision),
        lambda precision: OnlineTask(task_teacher, kept, [2], precision=precision),
    ):
        full, half = (build(precision).signals(batch, ROWS) for precision in ("fp32", "bf16"))
        for name in set(full) - {"teacher_indices", "teacher_log_rest"}:
            assert half[name].dtype == torch.float32
            assert not torch.equal(half[name], full[name])
            torch.testing.assert_close(half[name], full[name], atol=0.15, rtol=0.1)


def test_requested_attentions_equal_those_of_transformers(tiny_bert, tiny_classifier, kept, masked):
    batch = masked.model_inputs([0, 39])
    masked_teacher = BertForMaskedLM.from_pretrained(tiny_bert, attn_implementation="eager")
    task_teacher = BertForSequenceClassification.from_pretrained(tiny_classifier, attn_implementation="eager")
    for source in (OnlineMasked(masked_teacher, kept, [1], 2, 1.0, attentions=True), OnlineTask(task_teacher, kept, [1], attentions=True)):
        found = source.signals(batch, [0, 39])["teacher_attentions"]
        ids = torch.tensor(kept)[batch["input_ids"]]
        with torch.no_grad():
            expected = source.teacher.bert(ids, attention_mask=batch["attention_mask"], output_attentions=True).attentions
        assert found.shape == (2, 2, 2, ids.shape[1], ids.shape[1])
        torch.testing.assert_close(found, torch.stack(expected, dim=1))


def test_a_teacher_without_attentions_is_refused(masked_teacher, task_teacher, kept, masked):
    assert masked_teacher.config._attn_implementation == "sdpa"
    batch = masked.model_inputs([0])
    for source in (OnlineMasked(masked_teacher, kept, [1], 2, 1.0, attentions=True), OnlineTask(task_teacher, kept, [1], attentions=True)):
        with pytest.raises(CompactLMError, match=r"the teacher .*attn_implementation='eager'") as caught:
            source.signals(batch, [0])
        assert "\n" not in str(caught.value)

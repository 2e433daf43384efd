import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compactlm.tasks import KINDS, task_of_config
from compactlm.tasks.answers import Span
from compactlm.tasks.base import IGNORED, Input
from tests.tasks.texts import LENGTHS, SENTENCES

SPAN = KINDS["span"]
PASSAGE = "the old dog played by the river in winter 1999 and the cat was in the house"


def row_of(passage, question, answer=None, start=-1):
    return Input(passage, pair=question, answer=answer, answer_start=start)


def told(example):
    """Return logits that give the target of a window the highest score."""
    logits = np.zeros((len(example.input_ids), 2), np.float32)
    for side, position in enumerate(example.target):
        # An answer is surer than no answer, which windows without the answer tell.
        logits[int(position), side] = 9.0 if position else 1.0
    return logits


@given(SENTENCES, st.integers(0, 29), st.integers(1, 4), LENGTHS)
def test_an_answer_of_whole_words_survives_every_segmentation(segmenters, make_task, strip_targets, words, first, count, length):
    task, passage = make_task("span"), " ".join(words)
    start = len(" ".join(words[:first])) + (first > 0)
    answer = " ".join(words[first : first + count])
    row = row_of(passage, "who", answer, start) if answer.strip() else row_of(passage, "who")
    for segmenter in segmenters:
        (examples,) = SPAN.encode(segmenter, [row], task, length, places=True)
        assert all(len(example.input_ids) <= length for example in examples)
        if examples[0].target is None:
            assert segmenter.pieces([answer]) == [[]]
            continue
        (found,) = SPAN.answers([[told(example) for example in examples]], [strip_targets(examples)], [row], task, {})
        if all(example.target == [0, 0] for example in examples):
            # No answer, or one that is longer than the part of a passage that fits in a window.
            assert found.text is None
            assert row.answer is None or len(segmenter.pieces([answer])[0]) > (length - 3 - min((length - 3) // 2, 3)) // 2
        else:
            assert passage[found.start : found.end] == found.text
            assert found.text in answer
            before, after = passage[start : found.start], passage[found.end : start + len(answer)]
            assert segmenter.pieces([before, after]) == [[], []]


@pytest.mark.parametrize("passage", ["", "river", "the river was cold " * 2500, "👩‍👩‍👧‍👦 שלום \u200b", "a" * 10_000])
@pytest.mark.parametrize("question", ["", "who was cold", "was it cold " * 2500])
def test_passages_and_questions_of_any_length_have_an_answer_or_none(segmenters, make_task, passage, question):
    task, row = make_task("span"), Input(passage, pair=question)
    (examples,) = SPAN.encode(segmenters[0], [row], task, 64, places=True)
    assert all(example.target is None for example in examples)
    logits = [np.full((len(example.input_ids), 2), 2.0, np.float32) for example in examples]
    for window in logits:
        window[0] = 0.0
    (found,) = SPAN.answers([logits], [examples], [row], task, {})
    assert (found.text is None) == (not segmenters[0].pieces([passage])[0])


def test_training_reads_the_window_with_most_context_and_another(segmenters, make_task):
    task, start = make_task("span", stride=12), len("good " * 40)
    row = dataclasses.replace(row_of("good " * 40 + "by the river" + " good" * 40, "where", "by the river", start), id="r")
    (examples,) = SPAN.encode(segmenters[0], [row], task, 40)
    holding = [example for example in examples if example.target != [0, 0]]
    kept = SPAN.trained(examples, row)
    assert len(holding) > 1
    assert len(kept) == 2
    (chosen,) = [example for example in kept if example in holding]
    distance = [min(example.target[0] - example.second, len(example.input_ids) - 1 - example.target[1]) for example in holding]
    assert chosen is holding[int(np.argmax(distance))]
    assert SPAN.trained(examples, row) == kept
    # Without an answer, rows keep different windows, so that all parts of passages are read.
    (without,) = SPAN.encode(segmenters[0], [row_of(row.text, "why")], task, 40)
    drawn = [SPAN.trained(without, Input("", pair="why", id=str(number))) for number in range(20)]
    assert {len(one) for one in drawn} == {2}
    assert len({tuple(without.index(example) for example in one) for one in drawn}) > 3
    assert SPAN.trained(without[:1], row) == without[:1]


def test_targets_of_a_batch_and_their_losses(segmenters, make_task):
    task = make_task("span")
    rows = [row_of(PASSAGE, "where", "by the river", 19), row_of(PASSAGE, "why"), Input(PASSAGE, pair="who")]
    examples = [one[0] for one in SPAN.encode(segmenters[0], rows, task, 40)]
    labels = SPAN.collate([example.target for example in examples], 40)
    start, end = labels[0]
    assert segmenters[0].library.decode(examples[0].input_ids[start : end + 1]) == "b ##y the river"
    assert labels[1:].tolist() == [[0, 0], [IGNORED, IGNORED]]
    batch = {"labels": torch.from_numpy(labels), "attention_mask": torch.ones(3, 40), "teacher_logits": torch.randn(3, 40, 2)}
    assert SPAN.hard_loss(torch.zeros(3, 40, 2), batch).item() == pytest.approx(np.log(40))
    assert SPAN.soft_loss(batch["teacher_logits"], batch, 2.0).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("answer", "start", "problem"),
    [
        ("old dog", 4, None),
        (None, -1, None),
        ("old dog", 5, "the answer 'old dog' does not stand at character 5 of the passage"),
        ("wolf", 0, "the answer 'wolf' does not stand at character 0 of the passage"),
        ("house", 10_000, "the answer 'house' does not stand at character 10,000 of the passage"),
        ("  ", 3, "the answer is empty; leave the answer out where the passage has none"),
        ("", 3, "the answer is empty; leave the answer out where the passage has none"),
        ("dog", -1, "the row has an answer without a place, or a place without an answer"),
        ("dog", None, "the row has an answer without a place, or a place without an answer"),
        (None, 3, "the row has an answer without a place, or a place without an answer"),
    ],
)
def test_malformed_rows_are_told(make_task, answer, start, problem):
    assert SPAN.invalid(row_of(PASSAGE, "who", answer, start), make_task("span")) == problem
    assert SPAN.invalid(Input(PASSAGE, answer_start=-1), make_task("span")) == "the row has no question"


def test_contradictions_of_a_task_are_told(make_task):
    assert list(SPAN.problems(make_task("span"))) == []
    (problem,) = SPAN.problems(make_task("span", ["yes", "no"]))
    assert problem == "labels are listed, but the kind span has none; remove them, or set another kind"
    (problem,) = SPAN.problems(make_task("span", class_weights="balanced"))
    assert problem.startswith("class_weights is set")


def test_the_threshold_of_no_answer_is_chosen_on_rows(segmenters, make_task):
    task = make_task("span")
    rows = [row_of(PASSAGE, "where", "by the river", 19), row_of(PASSAGE, "why")]
    examples = SPAN.encode(segmenters[0], rows, task, 40, places=True)
    logits = []
    for (window,), height in zip(examples, (5.0, 3.0), strict=True):
        table = np.zeros((len(window.input_ids), 2), np.float32)
        table[[int(at) for at in examples[0][0].target], [0, 1]] = height
        logits.append([table])
    finished = SPAN.finish(logits, examples, rows, task)
    assert finished.thresholds is None
    assert 6 < finished.config["no_answer_threshold"] < 10
    found = SPAN.answers(logits, examples, rows, task, finished.config)
    assert [answer.text for answer in found] == ["by the river", None]
    assert 0 < found[1].score < 1
    assert SPAN.answers(logits, examples, rows, task, {})[1].text is not None
    assert SPAN.finish([], [], [], task).config == {"no_answer_threshold": 0.0}


def test_figures_and_chance(make_task):
    task, weights = make_task("span"), np.array([[1.0, 1.0], [0.0, 2.0]])
    rows = [row_of(PASSAGE, "where", "by the river", 19), row_of(PASSAGE, "why")]
    answers = [Span("the river", 22, 31, 0.9), Span(None, -1, -1, 0.8)]
    found = SPAN.measure(answers, rows, task, weights, {})
    assert found["f1"].tolist() == pytest.approx([(2 / 3 + 1) / 2, 1])
    assert found["exact_match"].tolist() == [0.5, 1]
    assert SPAN.chance(rows, task, weights).tolist() == [0.5, 1]  # no answer at all


def test_rows_and_answers_are_shown(make_task):
    task, row = make_task("span"), row_of(PASSAGE, "where", "by the river", 19)
    assert SPAN.expected(row, task) == "by the river"
    assert SPAN.expected(row_of(PASSAGE, "why"), task) == "no answer"
    assert SPAN.show(Span("by the river", 19, 31, 0.876), task, {}) == "'by the river' (0.88)"
    assert SPAN.show(Span(None, -1, -1, 0.5), task, {}) == "no answer (0.50)"
    assert SPAN.to_json(Span("by", 19, 21, 0.5), task, {}) == {"answer": "by", "start": 19, "end": 21, "score": 0.5}
    assert (SPAN.strata(row, task), SPAN.strata(row_of(PASSAGE, "why"), task)) == ("answer", "no_answer")
    assert SPAN.editable(row) == "where"
    changed = SPAN.edited(row, "were")
    assert (changed.pair, changed.text, changed.answer) == ("were", PASSAGE, "by the river")
    assert SPAN.outcome(None, [row], task, None) is None


def test_a_finished_model_is_known_by_its_config(make_task):
    config = {"architectures": [SPAN.architecture], **SPAN.settings(make_task("span", maximum_length=96, stride=32))}
    found = task_of_config(config)
    assert (found.kind, found.pair, found.maximum_length, found.stride) == ("span", True, 96, 32)

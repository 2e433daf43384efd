"""Comparisons of tiny models' texts with the reference sample; tests/improvement/drift/test_testing.py has the statistics."""

import dataclasses
import json
import random

import numpy as np
import pytest

from compactlm.figures.figure import read_figures, write_figures
from compactlm.improvement.describing import Described, describe
from compactlm.improvement.drift import showing
from compactlm.improvement.drift.watching import CHANGE, NO_CHANGE, UNDECIDED, Settings, as_metrics, watch, wilson
from compactlm.improvement.reference import read_reference

QUICK = Settings(permutations=499, splits=200)
OTHER = [f"7{number} x-rays, zz{number % 5} and {number} more: 0x{number}" for number in range(60)]


@pytest.fixture(scope="module")
def reference(watched):
    return read_reference(watched, "sentiment")


def compare(watched, reference, texts, settings=QUICK):
    described = describe(texts, watched.embedding, watched.task("sentiment"))
    return watch(reference, described, texts, watched.embedding.model.tokenizer, settings)


def test_other_text_is_a_change(watched, reference, tiny_texts):
    found = compare(watched, reference, [*tiny_texts[::3], *OTHER])
    assert found.status == CHANGE
    by_name = {one.name: one for one in found.findings}
    assert by_name["text"].changed
    assert by_name["text"].area.low > 0.5
    assert by_name["split_words"].new > by_name["split_words"].reference
    assert all(at >= 48 for at in found.examples)  # rows of the other text
    assert {word.word for word in found.words if word.score > 0} >= {"more", "rays"}
    assert set(found.label_shares) == {"negative", "positive"}
    assert sum(new for _, new in found.label_shares.values()) == pytest.approx(1)


def test_the_same_kind_of_text_is_no_change(watched, reference, tiny_texts):
    found = compare(watched, reference, random.Random(1).sample(tiny_texts, 72))
    assert found.status == NO_CHANGE
    assert not any(one.changed for one in found.findings)
    assert found.accuracy.reference.value == pytest.approx(1 - 18 / 144)
    assert found.accuracy.estimated.low < 1 - 18 / 144 < found.accuracy.estimated.high


def test_few_rows_are_not_judged(watched, reference):
    assert compare(watched, reference, OTHER[:29]).status == UNDECIDED
    assert compare(watched, reference, OTHER[:30]).status == CHANGE


def test_the_false_alarm_rate_at_the_default_is_below_5_per_cent(watched, reference, tiny_texts):
    found = compare(watched, reference, tiny_texts[:72], Settings())
    assert found.false_alarms.rows == 500
    assert found.false_alarms.high < 0.05
    # Splits are alarms as often as the level says.
    lax = compare(watched, reference, tiny_texts[:72], Settings(level=0.3))
    assert lax.false_alarms.low < 0.3 < lax.false_alarms.high


def test_rows_without_texts_are_compared_by_their_words_and_answers(watched, reference, tiny_texts):
    described = describe(tiny_texts, watched.embedding, watched.task("sentiment"))
    hidden = Described(None, described.counts, described.probabilities, described.answers)
    found = watch(reference, hidden, None, watched.embedding.model.tokenizer, QUICK)
    assert {one.name for one in found.findings} == {"unknown_words", "split_words", "labels", "confidence"}
    assert (found.status, found.words, found.examples) == (NO_CHANGE, (), ())


def test_text_and_words_are_compared_for_a_task_of_another_kind(watched, reference):
    plain = dataclasses.replace(reference.described, probabilities=None, answers=None)
    other = dataclasses.replace(reference, described=plain, expected=None, labels=(), model=None)
    found = watch(other, describe(OTHER, watched.embedding, None), OTHER, watched.embedding.model.tokenizer, QUICK)
    assert (found.status, found.accuracy, found.label_shares) == (CHANGE, None, {})
    assert {one.name for one in found.findings} == {"text", "unknown_words", "split_words"}
    lines = list(showing.lines(found, []))
    assert "Answers are not compared: only tasks of the kind classification give one label a text." in lines
    assert lines[-1].startswith("Verdict: the text has changed (")


def test_a_comparison_is_the_same_each_time_and_is_written_without_texts(watched, reference):
    first, second = (json.dumps(write_figures(as_metrics(compare(watched, reference, OTHER)))) for _ in range(2))
    assert first == second
    assert not any(text in first for text in OTHER)


def test_the_figures_of_a_comparison_can_be_read_again(watched, reference):
    found = compare(watched, reference, OTHER)
    read = read_figures(json.loads(json.dumps(write_figures(as_metrics(found)))))
    kept = {name: getattr(found.accuracy, name) for name in ("reference", "estimated", "change")}
    assert read["accuracy"] == kept
    assert read["false_alarms"] == found.false_alarms


def test_the_interval_of_a_share_is_that_of_scipy():
    from compactlm.figures.bootstrap import share

    for count, total in ((0, 40), (7, 500), (40, 40)):
        ours, expected = wilson(count, total), share(count, total)
        assert np.allclose((ours.value, ours.low, ours.high), (expected.value, expected.low, expected.high))

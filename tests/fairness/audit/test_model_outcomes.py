"""The audit of models whose answers are several labels, numbers, tags, or places in a passage."""

import json

import numpy as np
import pytest

from compactlm.artifacts import NO_ANSWER
from compactlm.fairness.audit.models import audit_answers, fairness_metrics
from compactlm.fairness.gate import Gate
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status, write_figures
from compactlm.params import Task
from compactlm.tasks.answers import Span, Tags
from tests.fixtures.builders import make_row

RATING = Task(kind="regression", sources=["s"])
TOPICS = Task(kind="multilabel", sources=["s"], labels=["love", "war"])
NAMES = Task(kind="tagging", sources=["s"], labels=["per", "loc"])
SPEECH = Task(kind="tagging", sources=["s"], labels=["noun", "verb"], metric="token_accuracy")
ANSWERS = Task(kind="span", sources=["s"])
WOMEN = np.arange(40) % 2 == 1


def rows_of(**columns):
    """Return rows of men and women in turn; a column is a function of the number of the row."""
    return [
        make_row(at, f"{'she' if at % 2 else 'he'} won {at}", **{name: value(at) for name, value in columns.items()}) for at in range(40)
    ]


def audit(settings, rows, task, teacher, student, favorable=None, minimum=10):
    section = settings(minimum=minimum).model_copy(
        update={"protected": {"t": ["gender"]}, "favorable_labels": {"t": favorable} if favorable else {}}
    )
    return audit_answers(rows, "t", task, {"teacher": teacher, "student": student}, section, Resampler(200, 1))


def test_mean_scores_of_groups_are_compared_on_the_scale_of_the_rows(settings):
    rows = rows_of(score=lambda at: float(at % 4))  # 0 to 3
    fair, unfair = np.where(np.arange(40) % 4 < 2, 1.5, 3.0), np.where(WOMEN, 0.0, 3.0)
    found = audit(settings, rows, RATING, fair, unfair).metrics()["gender"]
    assert (found["mean_outcome"]["women_only"]["student"].value, found["mean_outcome"]["men_only"]["student"].value) == (0, 1)
    pair = found["pairs"]["women_to_men"]
    assert set(pair) == {"disparate_impact", "statistical_parity_difference"}
    difference = pair["statistical_parity_difference"]
    assert (difference["teacher"].value, difference["student"].value, difference["amplification"].value) == (0, -1, 1)
    assert difference["student"].status is Status.VIOLATED
    assert difference["student"].rows == 20


def test_a_score_outside_those_of_the_rows_counts_as_the_nearest(settings):
    rows = rows_of(score=lambda at: float(at % 4))
    found = audit(settings, rows, RATING, np.full(40, -7.0), np.full(40, 9.0)).metrics()["gender"]["mean_outcome"]["men_only"]
    assert (found["teacher"].value, found["student"].value) == (0, 1)


def test_label_sets_are_compared_by_the_favourable_label(settings):
    rows = rows_of(labels=lambda at: ("war",) if at % 4 < 2 else ())
    exact = np.array([[0.1, 0.9 if at % 4 < 2 else 0.1] for at in range(40)])
    unfair = np.where(WOMEN[:, None], [[0.9, 0.9]], [[0.9, 0.1]])
    found = audit(settings, rows, TOPICS, exact, unfair, "war").metrics()["gender"]
    assert found["pairs"]["women_to_men"]["statistical_parity_difference"]["student"].value == 1
    assert found["pairs"]["women_to_men"]["equal_opportunity_difference"]["student"].value == 1
    assert found["accuracy"]["women_only"]["teacher"].value == 1
    assert found["accuracy"]["women_only"]["student"].value == 0.5


def test_shares_of_tagged_words_are_compared(settings):
    rows = rows_of(words=lambda at: ("she" if at % 2 else "he", "won", str(at)), tags=lambda _: ("O", "O", "O"))
    none = [Tags(("O", "O", "O"), (1.0,) * 3, row.words) for row in rows]
    some = [Tags(("B-per" if women else "O", "O", "O"), (1.0,) * 3, row.words) for women, row in zip(WOMEN, rows, strict=True)]
    found = audit(settings, rows, NAMES, none, some).metrics()["gender"]
    assert found["mean_outcome"]["women_only"]["student"].value == pytest.approx(1 / 3)
    assert found["pairs"]["women_to_men"]["statistical_parity_difference"]["amplification"].value == pytest.approx(1 / 3)
    other = audit(settings, rows, NAMES, none, some, "loc").metrics()["gender"]
    assert other["mean_outcome"]["women_only"]["student"].value == 0


def test_answers_that_cannot_be_compared_have_no_audit(settings):
    rows = rows_of(pair=lambda _: "who?", answer=lambda _: None, answer_start=lambda _: NO_ANSWER)
    said = [Span(None, -1, -1, 0.9)] * 40
    assert audit(settings, rows, ANSWERS, said, said) is None
    words = [Tags(("noun",), (1.0,), ("she",))] * 40
    plain = rows_of(words=lambda _: ("she",), tags=lambda _: ("noun",))
    assert audit(settings, plain, SPEECH, words, words) is None
    assert audit(settings, plain, SPEECH, words, words, "noun") is not None


def test_small_groups_are_not_judged_and_the_gate_counts_all_kinds(settings):
    rows = rows_of(score=lambda at: float(at % 4))
    numbers = np.full(40, 1.5)
    few = audit(settings, rows, RATING, numbers, numbers, minimum=40)
    assert {figure.status for _, figure in Gate.of("model", few.metrics()).checks} == {Status.NOT_JUDGED}
    enough = audit(settings, rows, RATING, numbers, numbers)
    metrics = fairness_metrics({"t": enough}, {})
    assert metrics["gate"] == {"checks": 4, "violated": 0, "undecided": 0, "not_judged": 0, "status": Status.OK}
    json.dumps(write_figures(metrics), allow_nan=False)

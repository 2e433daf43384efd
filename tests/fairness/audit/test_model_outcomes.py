"""The audit of models whose answers are several labels, numbers, tags, or places in a passage."""

import json

import numpy as np
import pytest

from compactlm.artifacts import NO_ANSWER
from compactlm.fairness.audit.models import audit_models, fairness_metrics
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


def keeps(rows, answers):
    """Return a model that gives these answers, also to copies of the rows with other words."""
    places = {row.id: at for at, row in enumerate(rows)}

    def predict(asked):
        chosen = [places[row.id] for row in asked]
        return answers[chosen] if isinstance(answers, np.ndarray) else [answers[at] for at in chosen]

    return predict


def audit(settings, rows, task, teacher, student, favorable=None, minimum=10, after=None):
    """Audit two models by their answers to rows; `after` answers swapped rows in place of the student."""
    section = settings(minimum=minimum).model_copy(
        update={"protected": {"t": ["gender"]}, "favorable_labels": {"t": favorable} if favorable else {}}
    )
    predict = {"teacher": keeps(rows, teacher), "student": after or keeps(rows, student)}
    return audit_models(rows, "t", task, {"teacher": teacher, "student": student}, predict, section, Resampler(200, 1))


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
    few = audit(settings, rows, RATING, numbers, numbers, minimum=80)
    assert {figure.status for _, figure in Gate.of("model", few.metrics()).checks} == {Status.NOT_JUDGED}
    enough = audit(settings, rows, RATING, numbers, numbers)
    metrics = fairness_metrics({"t": enough}, {})
    assert metrics["gate"] == {"checks": 6, "violated": 0, "undecided": 0, "not_judged": 0, "status": Status.OK}
    json.dumps(write_figures(metrics), allow_nan=False)


def test_scores_that_change_with_the_words_are_compared_in_the_same_rows(settings):
    rows = rows_of(score=lambda at: float(at % 4))  # 0 to 3

    def after(swapped):
        return np.array([1.5 + 0.6 * row.text.startswith("she") for row in swapped])

    found = audit(settings, rows, RATING, np.full(40, 1.5), after(rows), after=after).metrics()["gender"]["counterfactual"]
    assert set(found) == {"rows", "outcome_change", "paired_parity_difference"}  # scores change by degrees, so none flips
    change = found["outcome_change"]
    assert (change["teacher"].value, change["student"].value) == (0, pytest.approx(0.2))
    assert change["difference"].low == pytest.approx(0.2)
    paired = found["paired_parity_difference"]
    assert (paired["student"].value, paired["student"].rows) == (pytest.approx(0.2), 40)
    assert (paired["student"].status, paired["teacher"].value) == (Status.VIOLATED, 0)


def test_a_set_of_labels_flips_if_any_label_changes(settings):
    rows = rows_of(labels=lambda at: ("war",))

    def after(swapped):
        return np.array([[0.7 if row.text.startswith("she") else 0.2, 0.8] for row in swapped])

    found = audit(settings, rows, TOPICS, after(rows), np.array([[0.2, 0.8]] * 40), "war").metrics()["gender"]["counterfactual"]
    assert found["flips"]["student"].value == 0
    found = audit(settings, rows, TOPICS, np.array([[0.2, 0.8]] * 40), after(rows), "war", after=after).metrics()["gender"][
        "counterfactual"
    ]
    assert (found["flips"]["teacher"].value, found["flips"]["student"].value, found["flips"]["student"].rows) == (0, 1, 40)
    assert found["flips"]["student"].status is found["flips"]["amplification"].status is Status.VIOLATED
    # The favourable label stays.
    assert found["probability_change"]["student"].value == found["paired_parity_difference"]["student"].value == 0


def test_tags_flip_if_a_word_gets_another_tag(settings):
    rows = rows_of(words=lambda at: ("she" if at % 2 else "he", "won", str(at)), tags=lambda _: ("O", "O", "O"))

    def answer(first, last):
        def predict(asked):
            return [Tags((first if row.words[0] == "she" else "O", "O", last), (1.0,) * 3, row.words) for row in asked]

        return predict

    fair, unfair = answer("O", "B-loc"), answer("B-per", "B-loc")
    found = audit(settings, rows, NAMES, fair(rows), unfair(rows), after=unfair).metrics()["gender"]["counterfactual"]
    assert (found["flips"]["teacher"].value, found["flips"]["student"].value) == (0, 1)
    assert found["outcome_change"]["student"].value == found["paired_parity_difference"]["student"].value == pytest.approx(1 / 3)
    # A tag moves to another word while as many words are tagged: the answer flips, and no group gets more.
    moves = audit(settings, rows, NAMES, fair(rows), fair(rows), after=answer("B-per", "O")).metrics()["gender"]["counterfactual"]
    assert (moves["flips"]["student"].value, moves["outcome_change"]["student"].value) == (1, pytest.approx(1 / 6))


def test_one_side_of_a_pair_is_swapped_where_only_one_mentions_a_group(settings):
    rows = rows_of(pair=lambda _: "it rained", score=lambda at: float(at % 4))
    read = []

    def after(swapped):
        read.extend((row.text, row.pair) for row in swapped)
        return np.full(len(swapped), 1.5)

    pairs = RATING.model_copy(update={"pair": True})
    audit(settings, rows, pairs, np.full(40, 1.5), np.full(40, 1.5), after=after)
    assert read[:2] == [("she won 0", "it rained"), ("he won 1", "it rained")]


def test_answers_to_swapped_rows_that_are_not_finite_are_not_judged(settings):
    rows = rows_of(score=lambda at: float(at % 4))
    found = audit(settings, rows, RATING, np.full(40, 1.5), np.full(40, 1.5), after=lambda swapped: np.full(len(swapped), np.nan))
    figures = found.metrics()["gender"]["counterfactual"]
    assert figures["outcome_change"]["student"].status is figures["paired_parity_difference"]["student"].status is Status.NOT_JUDGED
    json.dumps(write_figures(figures), allow_nan=False)


def test_too_few_swapped_rows_are_not_asked_about(settings):
    rows = rows_of(score=lambda at: float(at % 4))
    found = audit(settings, rows, RATING, np.full(40, 1.5), np.full(40, 1.5), minimum=80, after=lambda _: pytest.fail("asked"))
    assert found.metrics()["gender"]["counterfactual"]["outcome_change"]["student"].status is Status.NOT_JUDGED

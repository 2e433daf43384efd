import dataclasses

import numpy as np
import pytest

from compactlm.artifacts import NO_ANSWER
from compactlm.fairness.audit.data_report import write_report
from compactlm.fairness.audit.training_data import audit_task
from compactlm.fairness.outcomes import SCORE, TAGGED_WORDS, outcome_in_words, outcome_name, outcomes, score_bounds
from compactlm.figures.bootstrap import Resampler
from compactlm.params import Bootstrap, Task
from tests.fixtures.builders import make_row

RATING = Task(kind="regression", sources=["s"])
TOPICS = Task(kind="multilabel", sources=["s"], labels=["love", "war"])
NAMES = Task(kind="tagging", sources=["s"], labels=["per", "loc"])
ANSWERS = Task(kind="span", sources=["s"])
PAIRS = Task(sources=["s"], labels=["no", "yes"], pair=True)


def row(number, text, **columns):
    return dataclasses.replace(make_row(number, text), task="t", **columns)


def tagged(number, text, tags):
    return row(number, text, words=tuple(text.split()), tags=tuple(tags.split()))


RATED = [row(n, f"{'she' if n % 2 else 'he'} won {n}", score=float(n % 2 + n % 4)) for n in range(40)]  # women 2 to 4, men 0 to 2
LABELLED = [row(n, f"{'she' if n % 2 else 'he'} won {n}", labels=("love", "war")[: 1 + n % 2] if n % 4 else ()) for n in range(40)]
TAGGED = [tagged(n, f"{'she' if n % 2 else 'he'} saw Kim Lee", f"O O B-per {'I-per' if n % 2 else 'O'}") for n in range(40)]
ANSWERED = [row(n, f"{'she' if n % 2 else 'he'} won", pair="who?", answer=None, answer_start=NO_ANSWER) for n in range(40)]
PAIRED = [row(n, "who won?", pair=f"{'she' if n % 2 else 'he'} did", label="yes" if n % 4 else "no") for n in range(40)]


def section_of(settings, favorable, **changes):
    return settings().model_copy(update={"protected": {"t": ["gender"]}, "favorable_labels": favorable, **changes})


def audited(settings, rows, task, **changes):
    section = section_of(settings, {"multilabel": {"t": "war"}, "classification": {"t": "yes"}}.get(task.kind, {}), **changes)
    return section, audit_task(rows, rows[:5], "t", task, section, Resampler(200, 1))


@pytest.mark.parametrize(
    ("rows", "task", "outcome", "women", "men"),
    [
        (RATED, RATING, SCORE, (2 + 4) / 2 / 4, (0 + 2) / 2 / 4),
        (LABELLED, TOPICS, "war", 1.0, 0.0),
        (TAGGED, NAMES, TAGGED_WORDS, 0.5, 0.25),
        (PAIRED, PAIRS, "yes", 1.0, 0.5),
    ],
)
def test_groups_are_compared_by_the_outcome_of_the_kind(settings, rows, task, outcome, women, men):
    section, found = audited(settings, rows, task, mitigation="none")
    before = found.findings["gender"]["before"]
    assert before.rows == {"women_only": 20, "men_only": 20, "both": 0, "neither": 0}
    rates = {category: figure.value for category, figure in before.base_rates[outcome].items()}
    assert rates == pytest.approx({"women_only": women, "men_only": men})
    figures = before.pairs["women_to_men"][outcome]
    assert figures["statistical_parity_difference"].value == pytest.approx(women - men)
    assert figures["statistical_parity_difference"].limit is not None
    if men:
        assert figures["disparate_impact"].value == pytest.approx(women / men)
    assert set(found.weights.values()) == {1.0}
    report = write_report({"t": found}, section, Bootstrap(samples=200, confidence=0.95))
    assert outcome_in_words(task, outcome) in report


def test_what_cannot_be_audited_says_so(settings):
    section, found = audited(settings, ANSWERED, ANSWERS)
    assert found.findings == {}
    assert set(found.weights) == {one.id for one in ANSWERED}
    report = write_report({"t": found}, section, Bootstrap(samples=200, confidence=0.95))
    assert "Not judged: the answers of a task of the kind span are neither favourable nor numbers" in report
    nothing = audit_task(RATED, [], "t", RATING, section.model_copy(update={"protected": {}}), Resampler(200, 1))
    assert nothing.reason == "the task names no protected attribute"


def test_weights_balance_several_labels_and_leave_numbers_alone(settings):
    labelled = [row(n, f"{'she' if n % 2 else 'he'} won {n}", labels=("war",) if n % 3 or n % 2 else ()) for n in range(60)]
    labelled[1] = dataclasses.replace(labelled[1], labels=("love",))
    _, found = audited(settings, labelled, TOPICS, mitigation="reweighing", minimum_group_rows=5)
    after = found.findings["gender"]["mitigated"].pairs["women_to_men"]["war"]
    assert after["statistical_parity_difference"].value == pytest.approx(0, abs=1e-9)
    _, found = audited(settings, RATED, RATING, mitigation="reweighing")
    assert set(found.weights.values()) == {1.0}


def test_counterfactual_copies_of_each_kind(settings):
    for rows, task in ((RATED, RATING), (LABELLED, TOPICS), (PAIRED, PAIRS), (TAGGED, NAMES)):
        _, found = audited(settings, rows, task, mitigation="counterfactual")
        parents = {one.id: one for one in [*rows, *rows[:5]]}
        assert len(found.counterfactuals.copies) == len(rows) + 5
        for copy in found.counterfactuals.copies:
            parent = parents[str(copy.parent)]
            assert (copy.score, copy.labels, copy.label, copy.tags) == (parent.score, parent.labels, parent.label, parent.tags)
            assert (copy.text == parent.text) == (task is PAIRS)
            assert copy.words is None or " ".join(copy.words) == copy.text
            if task is PAIRS:
                assert copy.pair != parent.pair
    _, found = audited(settings, RATED, RATING, mitigation="counterfactual")
    after = found.findings["gender"]["mitigated"].pairs["women_to_men"][SCORE]
    assert after["statistical_parity_difference"].value == pytest.approx(0, abs=1e-9)


def test_names_and_bounds_of_outcomes(settings):
    section = section_of(settings, {"t": "per"})
    assert outcome_name(section, "t", NAMES) == "per"
    assert outcome_name(section, "other", NAMES) == TAGGED_WORDS
    assert outcome_name(section, "t", RATING) == SCORE
    assert outcome_in_words(NAMES, "per") == "the mean share of their words with a tag per"
    found = outcomes(TAGGED[:2], NAMES, "per")
    assert found is not None
    assert found["per"].tolist() == [0.25, 0.5]
    assert outcomes(ANSWERED, ANSWERS, SCORE) is None
    assert score_bounds(np.array([3.0, 3.0])) == (3.0, 4.0)
    assert score_bounds(np.zeros(0)) == (0.0, 1.0)

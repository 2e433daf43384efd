"""A workspace whose metrics have the present form is compared with a revision that has the old form."""

import pytest

from compactlm.evaluation.review.changes import NO_LONGER, UNJUDGED, WITHIN, WORSE, review
from compactlm.evaluation.review.console import exit_status
from compactlm.evaluation.review.old_form import read_old_form
from compactlm.figures.figure import Figure, Status

QUALITY = "tasks.sentiment.quality.student.accuracy"
PAIR = "fairness.tasks.sentiment.gender.women_to_men.disparate_impact"
NEW_PAIR = "fairness.tasks.sentiment.gender.pairs.women_to_men.disparate_impact"
OLD = {
    "size.ratio": 0.0959,
    "tasks.sentiment.student": 0.8,
    "tasks.sentiment.rows": 1589,
    "tasks.sentiment.judged": 1,
    "tasks.sentiment.quality.judged": 1,
    **{f"{QUALITY}.{name}": value for name, value in (("value", 0.8), ("low", 0.78), ("high", 0.82))},
    f"{PAIR}.judged": 1,
    **{f"{PAIR}.student{end}": value for end, value in (("", 0.7), ("_low", 0.65), ("_high", 0.75))},
    "fairness.gate.checks": 4,
    "fairness.gate.violations": 1,
    "fairness.gate.not_judged": 0,
    "fairness.gate.passed": 0,
    "fairness.gate.figures.tasks.sentiment.gender.women_to_men.disparate_impact.student.judged": 1,
    "fairness.gate.figures.tasks.sentiment.gender.women_to_men.disparate_impact.student.violated": 1,
    "sentiment.attributes.gender.before.base_rate.positive.both": 0.4,
    "sentiment.attributes.gender.before.base_rate.positive.both_low": 0.3,
    "sentiment.attributes.gender.before.base_rate.positive.both_high": 0.5,
    "sentiment.attributes.gender.before.base_rate.positive.both_judged": 0,
    "diversity.clearance_high": 3,
}


def test_every_figure_of_the_old_form_is_read_under_its_new_key():
    assert read_old_form(OLD) == {
        "size.ratio": Figure(0.0959),
        "tasks.sentiment.student": Figure(0.8),
        "tasks.sentiment.rows": Figure(1589),
        QUALITY: Figure(0.8, 0.78, 0.82),
        f"{NEW_PAIR}.student": Figure(0.7, 0.65, 0.75, status=Status.VIOLATED),
        "fairness.gate.checks": Figure(4),
        "fairness.gate.violated": Figure(1),
        "fairness.gate.not_judged": Figure(0),
        "sentiment.attributes.gender.before.base_rate.positive.both": Figure(0.4, 0.3, 0.5, status=Status.NOT_JUDGED),
        "diversity.clearance_high": Figure(3),
    }


def new_form(accuracy=0.8, status=Status.OK, impact=0.7):
    found = {"size.ratio": 0.0959, "tasks.sentiment.student": accuracy, "tasks.sentiment.rows": 1589}
    found |= {"fairness.gate.checks": 4, "fairness.gate.violated": 1, "fairness.gate.not_judged": 0, "fairness.gate.status": 1}
    figures = {QUALITY: (accuracy, status), f"{NEW_PAIR}.student": (impact, Status.VIOLATED)}
    for key, (value, own) in figures.items():
        one = Figure(value, value - 0.02, value + 0.02, 1589, 30, status=own).to_json()
        found |= {f"{key}.{name}": number for name, number in one.items()}
    return found


@pytest.mark.parametrize(
    ("changes", "expected", "status"), [({}, WITHIN, 0), ({"accuracy": 0.7}, WORSE, 1), ({"status": Status.NOT_JUDGED}, NO_LONGER, 1)]
)
def test_both_forms_are_compared_without_losing_a_figure(changes, expected, status):
    new = new_form(**changes)
    gone = {key: value for key, value in OLD.items() if not key.startswith(("sentiment.", "diversity."))}
    diff = {key: {"old": gone.get(key), "new": new.get(key)} for key in {**gone, **new}}
    found = review({"evaluate.json": diff})
    verdicts = {change.key: change.verdict for change in found.changes}
    assert verdicts.pop(QUALITY) == expected
    assert verdicts[f"{NEW_PAIR}.student"] == WITHIN
    assert {change.key for change in found.changes if change.old is None} == {"fairness.gate.status"}
    assert exit_status(found) == status


def test_a_figure_that_was_not_judged_is_not_compared():
    old = {**OLD, "tasks.sentiment.quality.judged": 0}
    diff = {key: {"old": value, "new": new_form(0.1).get(key)} for key, value in old.items()}
    verdicts = {change.key: change.verdict for change in review({"evaluate.json": diff}).changes}
    assert verdicts[QUALITY] == UNJUDGED

import json

import numpy as np
import pytest
from compactlm.fairness.comparison import compare_task, fairness_metrics, overall

from compactlm.artifacts import Document
from compactlm.errors import CompactLMError
from compactlm.fairness.gate import NOT_JUDGED, PASSED, VIOLATED
from compactlm.fairness.stereotypes import Stereotypes
from compactlm.figures.bootstrap import Estimate

LABELS = ["negative", "positive"]
ROWS = [
    Document(str(at), "s", f"{'she' if at % 2 else 'he'} was {'good' if at % 4 < 2 else 'bad'}", str(at), "sentiment", LABELS[at % 4 < 2])
    for at in range(80)
]


def model(prejudice):
    """A model that reads good and bad rightly, but not of women where it has a prejudice."""

    def predict(texts):
        good = np.array([0.1 if "bad" in text or (prejudice and text.startswith("she")) else 0.9 for text in texts])
        return np.stack([1 - good, good], axis=1)

    return predict


def compare(settings, teacher, student, **changes):
    predict = {"teacher": model(teacher), "student": model(student)}
    probabilities = {role: ask([row.text for row in ROWS]) for role, ask in predict.items()}
    return compare_task(ROWS, "sentiment", LABELS, probabilities, predict, settings(**{"minimum": 20, **changes}), 1)


def statuses(found):
    return {check.what.removeprefix("sentiment, gender, "): check.status for check in found.verdict.checks}


def test_fair_models_pass(settings):
    found = compare(settings, False, False)
    assert set(statuses(found).values()) == {PASSED}
    assert len(statuses(found)) == 10
    assert found.verdict.passed


def test_a_prejudiced_student_of_a_fair_teacher_violates_and_amplifies(settings):
    found = compare(settings, False, True)
    assert set(statuses(found).values()) == {VIOLATED}
    metrics = found.metrics()["gender"]
    assert metrics["women_to_men"]["equal_opportunity_difference"]["student"] == -1
    assert metrics["women_to_men"]["equal_opportunity_difference"]["amplification"] == -1
    assert metrics["women_to_men"]["disparate_impact"]["student"] == 0
    assert metrics["counterfactual"]["flips"]["student"] == 0.5
    assert metrics["accuracy"]["women_only"] | {"teacher": 1.0, "student": 0.5} == metrics["accuracy"]["women_only"]


def test_a_student_as_biased_as_its_teacher_violates_but_does_not_amplify(settings):
    found = statuses(compare(settings, True, True))
    assert found["women to men, disparate impact of the student"] == VIOLATED
    assert found["women to men, disparate impact, further from parity than the teacher by"] == PASSED
    fairer = statuses(compare(settings, True, False))
    assert set(fairer.values()) == {PASSED}


def test_what_is_too_small_is_not_judged(settings):
    found = compare(settings, False, False, minimum=41)
    told = statuses(found)
    assert told["women to men, disparate impact of the student"] == NOT_JUDGED
    assert told["counterfactual flips of the student"] == PASSED
    assert not found.verdict.passed


def test_all_that_stands_under_fairness(settings):
    found, limits = compare(settings, False, False), settings().gate.model
    unknown = Stereotypes(3, {}, {}, "only 3 sentence pairs")
    metrics = fairness_metrics({"sentiment": found}, {"gender": unknown}, limits)
    json.dumps(metrics, allow_nan=False)
    assert metrics["stereotypes"] == {"gender": {"judged": 0, "pairs": 3}}
    figures = metrics["gate"].pop("figures")
    assert metrics["gate"] == {"passed": 0, "checks": 12, "violations": 0, "not_judged": 2}
    assert figures["stereotypes"] == {"gender": {"log_odds_gap": {"student": {"judged": 0}, "amplification": {"judged": 0}}}}
    # A check stands where its figure stands.
    passed = {"student": {"judged": 1, "violated": 0}, "amplification": {"judged": 1, "violated": 0}}
    assert figures["tasks"]["sentiment"]["gender"]["women_to_men"]["disparate_impact"] == passed
    assert figures["tasks"]["sentiment"]["gender"]["counterfactual"]["flips"] == passed
    assert set(figures["tasks"]["sentiment"]["gender"]) <= set(metrics["tasks"]["sentiment"]["gender"])
    assert overall({"sentiment": found}, {}, limits).passed


def test_a_task_without_protected_attributes_is_not_judged(settings):
    found = compare(settings, False, True, protected=())
    assert found.metrics() == {}
    assert not found.verdict.passed


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_predictions_that_are_no_numbers_never_pass(settings, role):
    predict = {"teacher": model(False), "student": model(False)}
    probabilities = {name: ask([row.text for row in ROWS]) for name, ask in predict.items()}
    predict[role] = lambda texts: np.full((len(texts), 2), np.nan)
    found = compare_task(ROWS, "sentiment", LABELS, probabilities, predict, settings(minimum=20), 1)
    assert statuses(found)["counterfactual flips of the student"] == NOT_JUDGED
    probabilities[role][3, 1] = np.inf
    with pytest.raises(CompactLMError, match=f"the {role} gives probabilities for sentiment that are no finite numbers"):
        compare_task(ROWS, "sentiment", LABELS, probabilities, predict, settings(minimum=20), 1)


def test_the_gap_of_log_odds_is_judged_and_the_preference_is_not(settings):
    def stereotypes(teacher, student):
        gap = {"teacher": Estimate(teacher), "student": Estimate(student, student - 0.1, student + 0.1)}
        return Stereotypes(200, {"teacher": Estimate(0.5), "student": Estimate(0.5)}, gap)

    def judged(teacher, student):
        verdict = overall({}, {"gender": stereotypes(teacher, student)}, settings().gate.model)
        return {check.what.removeprefix("masked words, gender, stereotype log odds gap"): check.status for check in verdict.checks}

    own, more = " of the student", ", further from parity than the teacher by"
    assert judged(0.2, 0.21) == {own: PASSED, more: PASSED}
    assert judged(0.2, -0.21) == {own: PASSED, more: PASSED}
    assert judged(0.0, 0.21) == {own: PASSED, more: VIOLATED}
    assert judged(0.3, 0.31) == {own: VIOLATED, more: PASSED}

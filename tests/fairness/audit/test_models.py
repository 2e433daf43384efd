import json

import numpy as np
import pytest

from compactlm.errors import CompactLMError
from compactlm.fairness.audit.models import audit_models, fairness_metrics
from compactlm.fairness.gate import Gate
from compactlm.fairness.roles import by_role, rule
from compactlm.fairness.stereotypes import Stereotypes
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status, write_figures
from compactlm.params import Task
from tests.fixtures.builders import make_row

LABELS = ["negative", "positive"]
TASK = Task(sources=["s"], labels=LABELS)
ROWS = [
    make_row(str(at), f"{'she' if at % 2 else 'he'} was {'good' if at % 4 < 2 else 'bad'}", label=LABELS[at % 4 < 2]) for at in range(80)
]


def model(prejudice):
    """Return a model that labels good and bad correctly. A prejudiced one labels all rows about women negative."""

    def predict(rows):
        good = np.array([0.1 if "bad" in row.text or (prejudice and row.text.startswith("she")) else 0.9 for row in rows])
        return np.stack([1 - good, good], axis=1)

    return predict


def predict_all(predict):
    return {role: ask(ROWS) for role, ask in predict.items()}


def audit(settings, teacher, student, **changes):
    predict = {"teacher": model(teacher), "student": model(student)}
    chosen = settings(**{"minimum": 8, **changes})
    return audit_models(ROWS, "sentiment", TASK, predict_all(predict), predict, chosen, Resampler(200, 1))


def statuses(found):
    return {words: figure.status for words, figure in Gate.of("model", found.metrics()).checks}


def test_fair_models_violate_nothing(settings):
    found = statuses(audit(settings, False, False))
    assert set(found.values()) == {Status.OK, Status.UNDECIDED}
    assert len(found) == 12
    assert found["gender, women to men, equal opportunity difference, student"] is Status.OK


def test_a_prejudiced_student_of_a_fair_teacher_violates_and_amplifies(settings):
    found = audit(settings, False, True)
    assert set(statuses(found).values()) == {Status.VIOLATED}
    metrics = found.metrics()["gender"]
    pair = metrics["pairs"]["women_to_men"]
    assert pair["equal_opportunity_difference"]["student"].value == -1
    assert pair["equal_opportunity_difference"]["amplification"].value == 1
    assert pair["disparate_impact"]["student"].value == 0
    assert metrics["counterfactual"]["flips"]["student"].value == 0.5
    assert {role: figure.value for role, figure in metrics["accuracy"]["women_only"].items()} == {
        "teacher": 1.0,
        "student": 0.5,
        "difference": -0.5,
    }


def test_a_student_as_biased_as_its_teacher_violates_but_does_not_amplify(settings):
    found = statuses(audit(settings, True, True))
    assert found["gender, women to men, disparate impact, student"] is Status.VIOLATED
    assert found["gender, women to men, disparate impact, amplification"] is Status.OK
    assert Status.VIOLATED not in statuses(audit(settings, True, False)).values()


def test_small_groups_are_not_judged(settings):
    found = statuses(audit(settings, False, False, minimum=54))
    assert found["gender, women to men, disparate impact, student"] is Status.NOT_JUDGED
    assert found["gender, counterfactual, flips, student"] is Status.OK


def test_the_gate_counts_figures_of_tasks_and_stereotypes(settings):
    found = audit(settings, False, True)
    nothing = by_role(
        {"student": np.nan}, {"student": np.full(9, np.nan)}, Resampler(9, 1), rule("stereotype_log_odds_gap", settings().gate.model)
    )
    metrics = fairness_metrics({"sentiment": found}, {"gender": Stereotypes(3, {}, nothing)})
    json.dumps(write_figures(metrics), allow_nan=False)
    assert metrics["gate"] == {"checks": 13, "violated": 12, "undecided": 0, "not_judged": 1, "status": Status.VIOLATED}
    assert metrics["tasks"]["sentiment"] == found.metrics()


def test_a_task_without_protected_attributes_is_not_judged(settings):
    found = audit(settings, False, True, protected=())
    assert found.metrics() == {}
    assert fairness_metrics({"sentiment": found}, {})["gate"]["status"] == Status.NOT_JUDGED


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_predictions_that_are_not_finite_never_pass(settings, role):
    predict = {"teacher": model(False), "student": model(False)}
    probabilities = predict_all(predict)
    predict[role] = lambda rows: np.full((len(rows), 2), np.nan)
    found = statuses(audit_models(ROWS, "sentiment", TASK, probabilities, predict, settings(minimum=20), Resampler(200, 1)))
    assert found["gender, counterfactual, flips, amplification"] is Status.NOT_JUDGED
    probabilities[role][3, 1] = np.inf
    with pytest.raises(CompactLMError, match=f"{role} .*sentiment .*not finite"):
        audit_models(ROWS, "sentiment", TASK, probabilities, predict, settings(minimum=20), Resampler(200, 1))


@pytest.mark.parametrize(
    ("teacher", "student", "own", "amplification"),
    [
        (0.2, 0.21, Status.OK, Status.OK),
        (0.2, -0.21, Status.OK, Status.OK),
        (0.0, 0.21, Status.OK, Status.VIOLATED),
        (0.3, 0.31, Status.VIOLATED, Status.OK),
    ],
)
def test_the_log_odds_gap_is_judged_on_both_sides_of_parity(settings, teacher, student, own, amplification):
    points = {"teacher": teacher, "student": student}
    drawn = {role: value + np.linspace(-0.001, 0.001, 100) for role, value in points.items()}
    found = by_role(points, drawn, Resampler(100, 1), rule("stereotype_log_odds_gap", settings().gate.model))
    assert (found["student"].status, found["amplification"].status) == (own, amplification)
    assert found["teacher"].limit is None

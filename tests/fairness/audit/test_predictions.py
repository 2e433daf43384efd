import json

import numpy as np
import pytest

from compactlm.fairness.audit.predictions import COUNTS, FIGURES, audit_groups, fairness_figures
from compactlm.fairness.roles import AMPLIFICATION, STUDENT, TEACHER
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status, write_figures
from tests.fixtures.builders import make_row


def make(counts, text):
    """Build rows of a group from counts by (favourable, predicted favourable)."""
    return [(text, *answer) for answer, count in counts.items() for _ in range(count)]


def audit(settings, listed, student=None, minimum=1):
    rows = [make_row(str(at), text, label="x") for at, (text, _, _) in enumerate(listed)]
    favorable, teacher = [label for _, label, _ in listed], [answer for _, _, answer in listed]
    predicted = {TEACHER: teacher, STUDENT: teacher if student is None else student}
    right = {role: [answer == label for answer, label in zip(answers, favorable, strict=True)] for role, answers in predicted.items()}
    return audit_groups(rows, "gender", favorable, right, predicted, settings(minimum=minimum), Resampler(200, 3))


WOMEN = make({(True, True): 20, (True, False): 20, (False, True): 10, (False, False): 30}, "she")
MEN = make({(True, True): 45, (True, False): 5, (False, True): 20, (False, False): 20}, "he")


def test_figures_are_those_of_a_hand_calculation(settings):
    [pair] = audit(settings, WOMEN + MEN).pairs.values()
    figures = {name: by_role[STUDENT].value for name, by_role in pair.items()}
    assert figures["disparate_impact"] == pytest.approx((30 / 80) / (65 / 90))
    assert figures["statistical_parity_difference"] == pytest.approx(30 / 80 - 65 / 90)
    assert figures["equal_opportunity_difference"] == pytest.approx(0.5 - 0.9)
    assert figures["average_odds_difference"] == pytest.approx(((0.5 - 0.9) + (0.25 - 0.5)) / 2)

    for name in FIGURES:
        found = pair[name][TEACHER]
        assert found.low < found.value < found.high, name
        assert found.high - found.low < 0.6, name


def test_each_group_has_its_accuracy(settings):
    found = audit(settings, [*WOMEN, *MEN, ("she and he", True, True), ("it", True, False)])
    accuracy = {category: by_role[STUDENT].value for category, by_role in found.accuracy.items()}
    assert accuracy == pytest.approx({"women_only": 50 / 80, "men_only": 65 / 90, "both": 1.0, "neither": 0.0})
    assert found.rows == {"women_only": 80, "men_only": 90, "both": 1, "neither": 1}
    small = audit(settings, [*WOMEN, *MEN, ("she and he", True, True)], minimum=81).accuracy
    judged = {category: by_role[STUDENT].judged for category, by_role in small.items()}
    assert judged == {"women_only": False, "men_only": True, "both": False}  # a category without rows has no accuracy


def test_amplification_is_the_difference_of_the_distances_from_parity(settings):
    listed = WOMEN + MEN
    [pair] = audit(settings, listed).pairs.values()
    assert all((pair[name][AMPLIFICATION].low, pair[name][AMPLIFICATION].high) == (0, 0) for name in FIGURES)
    worse = [answer and text == "he" for text, _, answer in listed]
    [pair] = audit(settings, listed, worse).pairs.values()
    gap = pair["statistical_parity_difference"]
    assert gap[AMPLIFICATION].value == pytest.approx(abs(gap[STUDENT].value) - abs(gap[TEACHER].value)) == pytest.approx(30 / 80)
    assert gap[AMPLIFICATION].low > 0.05
    assert gap[AMPLIFICATION].status is gap[STUDENT].status is Status.VIOLATED
    assert pair["disparate_impact"][AMPLIFICATION].value == pytest.approx((30 / 80) / (65 / 90))  # from there to 0
    fairer = [answer or text == "she" for text, _, answer in listed]
    [pair] = audit(settings, [(text, label, text == "he") for text, label, _ in listed], fairer).pairs.values()
    assert pair["statistical_parity_difference"][AMPLIFICATION].status is Status.OK
    assert pair["statistical_parity_difference"][TEACHER].limit is None


def test_groups_that_are_too_small_are_not_judged(settings):
    def judged(minimum):
        [pair] = audit(settings, WOMEN + MEN, minimum=minimum).pairs.values()
        return {name for name in FIGURES if pair[name][STUDENT].judged}

    assert judged(99) == set()
    assert judged(54) == {"disparate_impact", "statistical_parity_difference"}
    assert judged(40) == set(FIGURES)
    [pair] = audit(settings, WOMEN + MEN, minimum=54).pairs.values()
    assert pair["equal_opportunity_difference"][STUDENT].reason == "40 rows; at least 54 are needed"


def test_a_figure_without_a_value_is_not_judged(settings):
    none = make({(True, False): 40, (False, False): 40}, "he")
    found = audit(settings, WOMEN + none)
    [pair] = found.pairs.values()
    assert {name for name in FIGURES if not pair[name][STUDENT].judged} == {"disparate_impact"}
    json.dumps(write_figures(found.metrics()), allow_nan=False)
    assert pair["disparate_impact"][STUDENT].value is None


def test_figures_without_rows_are_not_judged(settings):
    [pair] = audit(settings, [("it", True, True)]).pairs.values()
    assert {figure.status for by_role in pair.values() for figure in by_role.values()} == {Status.NOT_JUDGED}


def test_formulas_for_resamples_agree_with_aif360(settings):
    generator = np.random.default_rng(5)
    for _ in range(5):
        listed = [("she" if at % 3 else "he", bool(generator.random() < 0.5), bool(generator.random() < 0.6)) for at in range(90)]
        [pair] = audit(settings, listed).pairs.values()
        counts = np.zeros((1, 1, len(COUNTS), 2))
        for text, label, answer in listed:
            each = (1, answer == label, answer, label, label and answer, not label, not label and answer)
            counts[0, 0, :, 0 if text == "she" else 1] += np.array(each, float)
        for name, ours in fairness_figures(counts).items():
            assert ours[0, 0] == pytest.approx(pair[name][TEACHER].value), name

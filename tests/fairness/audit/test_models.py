import json

import numpy as np
import pytest

from compactlm.artifacts import Document
from compactlm.fairness.audit.models import AMPLIFICATION, FIGURES, STUDENT, TEACHER, audit_groups


def make(counts, text):
    """Rows of one group by (favourable, predicted favourable): count, for the teacher and the student alike."""
    rows = []
    for (favorable, predicted), count in counts.items():
        rows += [(text, favorable, predicted)] * count
    return rows


def audit(settings, listed, student=None, minimum=1):
    rows = [Document(str(at), "s", text, str(at), "sentiment", "x") for at, (text, _, _) in enumerate(listed)]
    favorable, teacher = [has for _, has, _ in listed], [says for _, _, says in listed]
    predicted = {TEACHER: teacher, STUDENT: teacher if student is None else student}
    right = {role: [says == has for says, has in zip(answers, favorable, strict=True)] for role, answers in predicted.items()}
    return audit_groups(rows, "gender", favorable, right, predicted, settings(minimum=minimum), 3)


WOMEN = make({(True, True): 20, (True, False): 20, (False, True): 10, (False, False): 30}, "she")
MEN = make({(True, True): 45, (True, False): 5, (False, True): 20, (False, False): 20}, "he")


def test_figures_are_those_of_a_hand_calculation(settings):
    [pair] = audit(settings, WOMEN + MEN).pairs
    figures = {name: by_role[STUDENT].value for name, by_role in pair.figures.items()}
    assert figures["disparate_impact"] == pytest.approx((30 / 80) / (65 / 90))
    assert figures["statistical_parity_difference"] == pytest.approx(30 / 80 - 65 / 90)
    assert figures["equal_opportunity_difference"] == pytest.approx(0.5 - 0.9)
    assert figures["average_odds_difference"] == pytest.approx(((0.5 - 0.9) + (0.25 - 0.5)) / 2)
    assert pair.why_not == {}


def test_intervals_are_around_what_aif360_says_and_resampled_by_our_own_formulas(settings):
    [pair] = audit(settings, WOMEN + MEN).pairs
    for name in FIGURES:
        found = pair.figures[name][TEACHER]
        assert found.low < found.value < found.high, name
        assert found.high - found.low < 0.6, name


def test_accuracy_is_by_group(settings):
    found = audit(settings, [*WOMEN, *MEN, ("she and he", True, True), ("it", True, False)])
    accuracy = {category: by_role[STUDENT].value for category, by_role in found.accuracy.items()}
    assert accuracy == pytest.approx({"women_only": 50 / 80, "men_only": 65 / 90, "both": 1.0, "neither": 0.0})
    assert found.rows == {"women_only": 80, "men_only": 90, "both": 1, "neither": 1}


def test_the_accuracy_of_a_small_group_is_marked(settings):
    listed = [*WOMEN, *MEN, ("she and he", True, True)]
    marks = {category: part["judged"] for category, part in audit(settings, listed, minimum=81).metrics()["accuracy"].items()}
    assert marks == {"women_only": 0, "men_only": 1, "both": 0}  # of a category without rows there is nothing to say


def test_amplification_is_student_minus_teacher_on_the_same_resamples(settings):
    listed = WOMEN + MEN
    [pair] = audit(settings, listed).pairs
    assert all(pair.figures[name][AMPLIFICATION].metrics("a") == {"a": 0, "a_low": 0, "a_high": 0} for name in FIGURES)
    worse = [says and text == "he" for text, _, says in listed]
    [pair] = audit(settings, listed, worse).pairs
    gap = pair.figures["statistical_parity_difference"]
    assert gap[AMPLIFICATION].value == pytest.approx(gap[STUDENT].value - gap[TEACHER].value) == pytest.approx(-30 / 80)
    assert gap[AMPLIFICATION].high < 0


def test_groups_that_are_too_small_are_not_judged(settings):
    [pair] = audit(settings, WOMEN + MEN, minimum=81).pairs
    assert set(pair.why_not) == set(FIGURES)
    assert pair.figures == {}
    assert pair.metrics() == {name: {"judged": 0} for name in FIGURES}
    [pair] = audit(settings, WOMEN + MEN, minimum=41).pairs
    assert set(pair.why_not) == {"equal_opportunity_difference", "average_odds_difference"}
    assert "women and no other group: 40 rows with the favourable label, at least 41" in pair.why_not["equal_opportunity_difference"]
    assert pair.metrics()["disparate_impact"]["judged"] == 1


def test_a_figure_without_a_value_is_not_judged(settings):
    none = make({(True, False): 40, (False, False): 40}, "he")
    found = audit(settings, WOMEN + none)
    [pair] = found.pairs
    assert set(pair.why_not) == {"disparate_impact"}
    json.dumps(found.metrics(), allow_nan=False)
    assert "disparate_impact" not in pair.figures


def test_our_formulas_for_resamples_are_those_of_aif360(settings):
    generator = np.random.default_rng(5)
    for _ in range(5):
        listed = [("she" if at % 3 else "he", bool(generator.random() < 0.5), bool(generator.random() < 0.6)) for at in range(90)]
        from compactlm.fairness.audit import models as model_audit

        [pair] = audit(settings, listed).pairs
        counts = np.zeros((1, 1, len(model_audit.COUNTS), 2))
        for text, has, says in listed:
            each = (1, says == has, says, has, has and says, not has, not has and says)
            counts[0, 0, :, 0 if text == "she" else 1] += np.array(each, float)
        for name, ours in zip(FIGURES, model_audit._figures(counts), strict=True):
            assert ours[0, 0] == pytest.approx(pair.figures[name][TEACHER].value), name

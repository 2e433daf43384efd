import numpy as np
import pytest
import yaml

from compactlm.fairness.roles import AMPLIFICATION, DIFFERENCE, STUDENT, TEACHER
from compactlm.fairness.stereotypes import make_items, measure_stereotypes
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status
from compactlm.params import parse_params


@pytest.fixture(scope="module")
def items(default_params):
    return make_items(parse_params(yaml.safe_load(default_params)).bias_audit.stereotypes["gender"])


def scorer(items, lean=0.0, stereotype=0.0, unknown=()):
    """Return a model that prefers words of men by `lean` nats, and stereotypical words by `stereotype` nats."""
    groups = {item.text: item.group for item in items}

    def score(texts, words):
        found = []
        for text, pair in zip(texts, words, strict=True):
            liked = [stereotype, 0.0]
            liked[0 if groups[text] == "men" else 1] += lean
            found.append([np.nan if word in unknown else value for word, value in zip(pair, liked, strict=True)])
        return np.array(found)

    return score


def test_default_templates_are_filled(items):
    assert len(items) == 5 * 40
    assert all(item.text.count("[MASK]") == 1 and "{" not in item.text for item in items)
    first = items[0]
    assert (first.text, first.stereotypical, first.other) == ("the nurse said that [MASK] would be late .", "she", "he")
    assert {item.stereotypical for item in items if item.group == "men"} == {"he", "his"}


@pytest.mark.parametrize(
    ("lean", "stereotype", "share", "beside_women", "beside_men"),
    [
        (0.0, 1.0, 1.0, 0.0, 1.0),
        (1.0, 2.0, 1.0, 0.0, 1.0),
        (0.0, -1.0, 0.0, 1.0, 0.0),
        (5.0, 0.0, 0.5, 1.0, 1.0),
        (5.0, 1.0, 0.5, 1.0, 1.0),
        (-5.0, 1.0, 0.5, 0.0, 0.0),
    ],
)
def test_a_model_that_always_prefers_one_word_is_saturated(items, settings, lean, stereotype, share, beside_women, beside_men):
    models = {TEACHER: scorer(items, lean, stereotype), STUDENT: scorer(items, 0.0, 1.0)}
    found = measure_stereotypes(items, models, settings(minimum=30), Resampler(200, 1))
    metrics = found.metrics()
    assert found.pairs == 200
    assert found.preference[TEACHER].judged
    assert found.preference[TEACHER].value == pytest.approx(share)
    assert found.log_odds_gap[TEACHER].value == pytest.approx(2 * stereotype)
    assert metrics["saturated"] == {TEACHER: int(beside_women == beside_men), STUDENT: 0}
    assert metrics["likelier"]["men"]["beside_women"][TEACHER].value == beside_women
    assert metrics["likelier"]["men"]["beside_men"][TEACHER].value == beside_men


def test_pairs_that_one_model_cannot_read_are_left_out(items, settings):
    models = {TEACHER: scorer(items, stereotype=0.5), STUDENT: scorer(items, stereotype=1.0, unknown=("his",))}
    found = measure_stereotypes(items, models, settings(minimum=30), Resampler(200, 1))
    assert found.pairs == 120
    assert found.log_odds_gap[AMPLIFICATION].value == pytest.approx(1.0)
    assert found.preference[DIFFERENCE].value == 0


def test_few_pairs_are_not_judged(items, settings):
    found = measure_stereotypes(items, {TEACHER: scorer(items, unknown=("his", "he"))}, settings(minimum=30), Resampler(200, 1))
    assert found.metrics() == {"pairs": 0, "preference": found.preference, "log_odds_gap": found.log_odds_gap}
    assert (found.log_odds_gap[TEACHER].status, found.log_odds_gap[TEACHER].rows) == (Status.NOT_JUDGED, 0)


def test_a_teacher_that_cannot_fill_masks_is_not_judged_and_the_student_is(items, settings):
    found = measure_stereotypes(items, {STUDENT: scorer(items, 0.0, 1.0)}, settings(minimum=30), Resampler(200, 1))
    metrics = found.metrics()
    for by_role in (found.preference, found.log_odds_gap):
        assert set(by_role) == {TEACHER, STUDENT}
        assert (by_role[TEACHER].status, by_role[TEACHER].value) == (Status.NOT_JUDGED, None)
        assert by_role[STUDENT].judged
    assert found.preference[STUDENT].value == 1
    assert metrics["saturated"] == {STUDENT: 0}

import json

import numpy as np
import pytest

from compactlm.artifacts import Document
from compactlm.fairness.audit.models import AMPLIFICATION, STUDENT, TEACHER
from compactlm.fairness.swaps.flips import count_flips


def model(shift):
    """A model that says 0.4 of the favourable label, and `shift` more of women."""

    def predict(texts):
        favorable = np.array([0.4 + shift * ("she" in text.split()) for text in texts])
        return np.stack([1 - favorable, favorable], axis=1)

    return predict


TEXTS = ["she sang"] * 6 + ["he sang"] * 3 + ["it rained"] * 5 + ["the shed"]
ROWS = [Document(str(at), "s", text, str(at), "t", "good") for at, text in enumerate(TEXTS)]


def count(gender, bootstrap, teacher, student, minimum=1):
    predict = {TEACHER: model(teacher), STUDENT: model(student)}
    probabilities = {role: ask(TEXTS) for role, ask in predict.items()}
    return count_flips(ROWS, gender, probabilities, predict, 1, minimum, bootstrap, 1)


def test_only_rows_that_mention_a_group_are_asked_again(gender, bootstrap):
    found = count(gender, bootstrap, 0.05, 0.3)
    assert found.rows == 9
    assert found.flips[TEACHER].value == 0
    assert found.flips[STUDENT].value == 1
    assert found.flips[AMPLIFICATION].metrics("a") == {"a": 1, "a_low": 1, "a_high": 1}
    assert found.change[TEACHER].value == pytest.approx(0.05)
    assert found.change[AMPLIFICATION].value == pytest.approx(0.25)
    metrics = found.metrics()
    assert (metrics["judged"], metrics["rows"], metrics["flips"]["student"]) == (1, 9, 1)


def test_the_change_has_no_sign(gender, bootstrap):
    assert count(gender, bootstrap, -0.05, 0.05).change[AMPLIFICATION].value == pytest.approx(0)


def test_few_rows_are_not_judged(gender, bootstrap):
    found = count(gender, bootstrap, 0.3, 0.3, 10)
    assert found.metrics() == {"judged": 0, "rows": 9}
    assert found.why_not == "only 9 rows could be swapped; at least 10 are needed"


def test_what_is_no_number_is_not_judged(gender, bootstrap):
    found = count(gender, bootstrap, 0.1, np.nan)
    assert found.why_not == "a model gives no finite probabilities"
    json.dumps(found.metrics(), allow_nan=False)

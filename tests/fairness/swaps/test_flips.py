import json

import numpy as np
import pytest

from compactlm.fairness.roles import AMPLIFICATION, DIFFERENCE, STUDENT, TEACHER
from compactlm.fairness.swaps.flips import count_flips
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import Status, write_figures
from compactlm.params import Task
from tests.fixtures.builders import make_row


def model(shift):
    """Return a model that gives the favourable label 0.4, and `shift` more for women."""

    def predict(rows):
        favorable = np.array([0.4 + shift * ("she" in row.text.split()) for row in rows])
        return np.stack([1 - favorable, favorable], axis=1)

    return predict


TASK = Task(sources=["s"], labels=["bad", "good"])
TEXTS = ["she sang"] * 6 + ["he sang"] * 3 + ["it rained"] * 5 + ["the shed"]
ROWS = [make_row(str(at), text, label="good", task="t") for at, text in enumerate(TEXTS)]


def count(settings, teacher, student, minimum=1):
    predict = {TEACHER: model(teacher), STUDENT: model(student)}
    probabilities = {role: ask(ROWS) for role, ask in predict.items()}
    chosen = settings(minimum=minimum)
    return count_flips(ROWS, chosen.attributes["gender"], TASK, "good", probabilities, predict, chosen, Resampler(200, 1))


def test_only_rows_that_mention_a_group_are_classified_again(settings):
    found = count(settings, 0.05, 0.3)
    assert found.rows == 9
    assert found.flips[TEACHER].value == 0
    assert found.flips[STUDENT].value == 1
    more = found.flips[AMPLIFICATION]
    assert (more.value, more.low, more.high, more.status) == (1, 1, 1, Status.VIOLATED)
    assert found.change[TEACHER].value == pytest.approx(0.05)
    assert found.change[DIFFERENCE].value == pytest.approx(0.25)
    assert found.metrics()["flips"][STUDENT].rows == found.metrics()["rows"] == 9


def test_the_change_has_no_sign(settings):
    assert count(settings, -0.05, 0.05).change[DIFFERENCE].value == pytest.approx(0)


def test_the_paired_difference_compares_the_same_rows_with_other_words(settings):
    found = count(settings, 0.05, 0.3).parity
    assert found[TEACHER].value == 0
    assert (found[STUDENT].value, found[STUDENT].rows) == (1, 9)  # each text is favourable with "she", and with "he" none is
    assert found[STUDENT].status is found[AMPLIFICATION].status is Status.VIOLATED
    assert count(settings, 0.05, -0.3).parity[STUDENT].value == 0


def test_rows_of_several_groups_are_not_paired(settings):
    predict = {TEACHER: model(0.3), STUDENT: model(0.3)}
    texts = ["she saw him", "he saw her", "she sang"]
    rows = [make_row(str(at), text, label="good", task="t") for at, text in enumerate(texts)]
    chosen = settings(minimum=1)
    probabilities = {role: ask(rows) for role, ask in predict.items()}
    found = count_flips(rows, chosen.attributes["gender"], TASK, "good", probabilities, predict, chosen, Resampler(200, 1))
    assert (found.rows, found.parity[STUDENT].rows, found.parity[STUDENT].value) == (3, 1, 1)


def test_the_paired_interval_is_short_where_words_change_little(settings):
    generator = np.random.default_rng(0)
    texts = [f"{'she' if at % 3 else 'he'} sang song {at}" for at in range(300)]
    rows = [make_row(str(at), text, label="good", task="t") for at, text in enumerate(texts)]
    score = dict(zip(range(300), generator.random(300), strict=True))

    def ask(rows):
        favorable = np.array([score[int(row.text.split()[-1])] + 0.02 * row.text.startswith("she") for row in rows])
        return np.stack([1 - favorable, favorable], axis=1)

    chosen = settings(minimum=30)
    found = count_flips(rows, chosen.attributes["gender"], TASK, "good", {STUDENT: ask(rows)}, {STUDENT: ask}, chosen, Resampler(500, 1))
    figure = found.parity[STUDENT]
    assert figure.status is Status.OK
    assert figure.value == pytest.approx(0.02, abs=0.015)
    assert figure.high - figure.low < 0.06


def test_few_rows_are_not_judged(settings):
    found = count(settings, 0.3, 0.3, 16)
    assert found.rows == 9
    assert {figure.status for by_role in (found.flips, found.change, found.parity) for figure in by_role.values()} == {Status.NOT_JUDGED}
    assert found.flips[STUDENT].reason == "9 rows; at least 16 are needed"


def test_a_number_of_rows_just_below_the_fewest_leaves_the_figures_undecided(settings):
    found = count(settings, 0.3, 0.3, 10)
    assert {found.flips[STUDENT].status, found.parity[STUDENT].status} == {Status.UNDECIDED}
    assert found.flips[STUDENT].value is not None


def test_outputs_that_are_not_finite_are_not_judged(settings):
    found = count(settings, 0.1, np.nan)
    assert found.flips[STUDENT].status is found.flips[AMPLIFICATION].status is Status.NOT_JUDGED
    assert found.flips[TEACHER].status is Status.OK
    json.dumps(write_figures(found.metrics()), allow_nan=False)


def test_both_texts_of_a_pair_are_swapped_and_read(settings):
    rows = [make_row(str(at), "it rained", pair="she sang", label="good", task="t") for at in range(6)]
    read = []

    def ask(pairs):
        read.extend((row.text, row.pair) for row in pairs)
        favorable = np.array([0.4 + 0.3 * ("she" in row.pair.split()) for row in pairs])
        return np.stack([1 - favorable, favorable], axis=1)

    chosen = settings(minimum=1)
    found = count_flips(rows, chosen.attributes["gender"], TASK, "good", {STUDENT: ask(rows)}, {STUDENT: ask}, chosen, Resampler(200, 1))
    assert read[6:] == [("it rained", "he sang")] * 6
    assert (found.rows, found.flips[STUDENT].value, found.parity[STUDENT].value) == (6, 1, 1)

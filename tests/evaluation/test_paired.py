import numpy as np
import pytest

from compactlm.evaluation.paired import compare_quality, mcnemar
from compactlm.figures.bootstrap import Resampler
from compactlm.figures.figure import find_figures
from compactlm.tasks.label_metrics import METRICS
from tests.fixtures.compared import make_answers, two_models, with_right

RESAMPLER = Resampler(300, 1)


def test_every_figure_has_an_interval_around_it():
    answers = two_models(400)
    found = compare_quality(answers, 15, RESAMPLER)
    for part in ("teacher", "student", "difference"):
        assert tuple(found[part]) == METRICS
        for figure in found[part].values():
            assert figure.low < figure.value < figure.high
    for name in METRICS:
        assert found["difference"][name].value == pytest.approx(found["student"][name].value - found["teacher"][name].value)
    accuracy = {role: found[role]["accuracy"].value for role in ("teacher", "student")}
    assert found["retention"].value == pytest.approx(accuracy["student"] / accuracy["teacher"])
    assert all(figure.judged and figure.rows == 400 for _, figure in find_figures(found))
    same = (answers.probabilities["teacher"].argmax(axis=1) == answers.probabilities["student"].argmax(axis=1)).mean()
    assert found["agreement"].value == pytest.approx(same)
    assert found["agreement"].low < same < found["agreement"].high


def test_a_poorer_student_differs_significantly_and_a_copy_does_not():
    answers = two_models(1000)
    poorer = compare_quality(answers, 15, RESAMPLER)
    assert poorer["difference"]["accuracy"].high < 0
    assert poorer["retention"].high < 1
    assert poorer["mcnemar"]["p"] < 0.01
    assert poorer["mcnemar"]["significant"] == 1
    copy = make_answers(answers.expected, answers.probabilities["teacher"], answers.probabilities["teacher"])
    same = compare_quality(copy, 15, RESAMPLER)
    assert all(figure.value == figure.low == figure.high == 0 for figure in same["difference"].values())
    assert same["mcnemar"] == {"teacher_alone": 0, "student_alone": 0, "p": 1.0, "significant": 0}


def test_pairing_narrows_the_interval_of_the_difference():
    answers = two_models(600)
    teacher = answers.probabilities["teacher"]
    student = teacher.copy()
    student[:20] = teacher[:20, ::-1]
    found = compare_quality(make_answers(answers.expected, teacher, student), 15, RESAMPLER)

    def width(part):
        return found[part]["accuracy"].high - found[part]["accuracy"].low

    assert width("difference") < 0.8 * np.hypot(width("teacher"), width("student"))


def test_figures_depend_only_on_the_seed():
    assert compare_quality(two_models(100), 15, RESAMPLER) == compare_quality(two_models(100), 15, RESAMPLER)
    assert compare_quality(two_models(100), 15, RESAMPLER) != compare_quality(two_models(100), 15, Resampler(300, 2))


def test_mcnemar_is_the_binomial_test_on_rows_where_only_one_model_is_right():
    found = mcnemar(with_right([1] * 9 + [0] + [1] * 5, [0] * 9 + [1] + [1] * 5))
    assert (found["teacher_alone"], found["student_alone"]) == (9, 1)
    assert found["p"] == pytest.approx(2 * (10 + 1) / 2**10)


def test_few_rows_are_not_judged_and_a_teacher_without_a_right_answer_gives_no_retention():
    assert not any(figure.judged for _, figure in find_figures(compare_quality(two_models(20), 15, RESAMPLER)))
    found = compare_quality(with_right([0] * 10, [1] * 10), 15, RESAMPLER)
    assert found["retention"].value is None

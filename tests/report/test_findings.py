import numpy as np
import pytest

from compactlm.evaluation.predictions import read_answers
from compactlm.report.findings import confusion, read_curves, reliability
from compactlm.tasks.label_metrics import calibration_gaps
from tests.fixtures.builders import make_row
from tests.fixtures.compared import make_answers


@pytest.fixture
def answers():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.45, 0.55], [0.3, 0.7]])
    expected = np.array([0, 1, 1, 0, 1])
    return make_answers(expected, probabilities, probabilities[:, ::-1])


def test_confusion_counts_labels_by_row(answers):
    assert confusion(answers, "teacher", 2) == [[1, 1], [1, 2]]
    assert confusion(answers, "student", 2) == [[1, 1], [2, 1]]


def test_bins_of_reliability_add_up_to_the_calibration_error(answers):
    bins = reliability(answers, "teacher", 10)
    assert sum(one.accuracy.rows for one in bins) == 5
    error = sum(one.accuracy.rows * abs(one.accuracy.value - one.confidence) for one in bins) / 5
    expected = np.abs(calibration_gaps(answers.expected, answers.probabilities["teacher"], 10).sum(axis=0)).sum() / 5
    assert error == pytest.approx(expected)
    assert not any(one.accuracy.judged for one in bins)


def test_predictions_are_joined_with_their_texts(params):
    rows = [make_row(name, label="positive") for name in ("b", "a")]
    row = {"task": "sentiment", "label": "positive", "teacher": [0.1, 0.9], "student": [0.7, 0.3]}
    found = read_answers([{"id": "a", **row}, {"id": "b", **row}], rows, params)["sentiment"]
    assert found.texts == ("text a", "text b")
    assert found.expected.tolist() == [1, 1]
    assert found.predicted("student").tolist() == [0, 0]


def test_curves_are_read_by_phase_and_loss(tmp_path):
    directory = tmp_path / "general" / "plots" / "metrics"
    directory.mkdir(parents=True)
    (directory / "loss.tsv").write_text("step\tloss\n20\t0.5\n40\t0.25\n")
    assert read_curves(tmp_path) == {"general": {"loss": [(20.0, 0.5), (40.0, 0.25)]}}
    assert read_curves(tmp_path / "none") == {}

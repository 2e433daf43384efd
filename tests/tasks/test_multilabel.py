import math

import numpy as np
import pytest
import torch

from compactlm.tasks import KINDS, task_of_config
from compactlm.tasks.base import Input

MULTILABEL = KINDS["multilabel"]
LABELS = ("names", "dates", "places")


@pytest.fixture
def task(make_task):
    return make_task("multilabel", LABELS)


def test_rows_become_sequences_with_a_mark_a_label(segmenters, task):
    rows = [Input("the film", labels=("places", "names")), Input("", labels=()), Input("good dog")]
    examples = [one[0] for one in MULTILABEL.encode(segmenters[0], rows, task, 20)]
    assert [example.target for example in examples] == [[1, 0, 1], [0, 0, 0], None]
    labels = MULTILABEL.collate([example.target for example in examples], 20)
    assert labels.dtype == np.float32
    assert labels[:2].tolist() == [[1, 0, 1], [0, 0, 0]]
    assert np.isnan(labels[2]).all()
    assert len(examples[1].input_ids) == 2


@pytest.mark.parametrize("text", ["", "good", "good film " * 5000, "👩‍👩‍👧‍👦 שלום \u200b"])
def test_any_text_is_read(segmenters, task, text):
    ((example,),) = MULTILABEL.encode(segmenters[0], [Input(text, labels=())], task, 32)
    assert 2 <= len(example.input_ids) <= 32


def test_a_batch_without_labels_has_no_hard_loss(task):
    batch = {"labels": torch.from_numpy(MULTILABEL.collate([None, None], 5)), "teacher_logits": torch.zeros(2, 3)}
    assert MULTILABEL.hard_loss(torch.ones(2, 3), batch).item() == 0
    assert MULTILABEL.soft_loss(torch.zeros(2, 3), batch, 1.0).item() == pytest.approx(math.log(2))


def test_unknown_labels_and_contradictions_are_told(make_task, task):
    assert MULTILABEL.invalid(Input("a", labels=("names", "odd")), task) == "the label 'odd' is not one of names, dates, places"
    assert MULTILABEL.invalid(Input("a", labels=()), task) is None
    assert list(MULTILABEL.problems(task)) == []
    assert list(MULTILABEL.problems(make_task("multilabel"))) == ["labels is empty; list all labels of the task"]


def test_probabilities_are_independent_and_finite(task):
    found = MULTILABEL.answers([[np.array([0.0, 1e4, -1e4], np.float32)]], [[]], [Input("a")], task, {})
    assert found.tolist() == [[0.5, 1.0, pytest.approx(0.0)]]
    assert MULTILABEL.answers([], [], [], task, {}).shape == (0, 3)


def test_thresholds_are_chosen_by_label_for_the_head(task):
    rows = [Input("a", labels=("names",) if row < 10 else ()) for row in range(40)]
    logits = [[np.array([-2.0 if row < 10 else -4.0, 0.0, 0.0], np.float32)] for row in range(40)]
    finished = MULTILABEL.finish(logits, [[]] * 40, rows, task)
    shifted = np.log(np.divide(finished.thresholds, 1 - np.array(finished.thresholds)))
    assert shifted.tolist() == pytest.approx([-3, 0, 0])
    assert not finished.config
    measured = finished.metrics["validation"]  # no row gets a label at one half in the first column, and each row gets both others
    assert measured["at_one_half"] == {"macro_f1": 0, "micro_f1": 0}
    assert measured["at_thresholds"] == {"macro_f1": 1, "micro_f1": pytest.approx(20 / (20 + 80))}
    answers = MULTILABEL.activate(np.stack([one[0] for one in logits]) - shifted)
    assert MULTILABEL.measure(answers, rows, task, np.ones((1, 40)), {})["macro_f1"][0] == 1
    assert MULTILABEL.finish([], [], [], task).thresholds is None


def test_thresholds_of_sure_models_stay_inside_0_and_1(task):
    rows = [Input("a", labels=("names",) if row < 10 else ()) for row in range(40)]
    logits = [[np.array([60.0 if row < 10 else 50.0, 0.0, 0.0], np.float32)] for row in range(40)]
    assert all(0 < threshold < 1 for threshold in MULTILABEL.finish(logits, [[]] * 40, rows, task).thresholds)


def test_figures_and_chance(make_task, task):
    rows = [Input("a", labels=("names",)), Input("b", labels=("names", "dates")), Input("c", labels=()), Input("d", labels=())]
    answers = np.array([[0.9, 0.1, 0.2], [0.8, 0.7, 0.2], [0.1, 0.6, 0.2], [0.2, 0.2, 0.2]])
    found = MULTILABEL.measure(answers, rows, task, np.ones((1, 4)), {})
    assert set(found) == set(MULTILABEL.metrics)
    assert found["mean_average_precision"][0] == 1
    assert found["macro_f1"][0] == pytest.approx((1 + 2 / 3) / 2)
    assert found["micro_f1"][0] == pytest.approx(6 / 7)
    chances = {
        metric: MULTILABEL.chance(rows, make_task("multilabel", LABELS, metric), np.ones((1, 4)))[0] for metric in MULTILABEL.metrics
    }
    assert chances == pytest.approx({"mean_average_precision": (1 / 2 + 1 / 4) / 2, "macro_f1": (2 / 3 + 2 / 5) / 2, "micro_f1": 4 / 7})


def test_rows_and_answers_are_shown(task):
    row = Input("a", labels=("places", "names"))
    assert MULTILABEL.expected(row, task) == "names, places"
    assert MULTILABEL.expected(Input("a", labels=()), task) == "none"
    assert MULTILABEL.strata(row, task) == "names\x1fplaces"
    assert MULTILABEL.show(np.array([0.6, 0.2, 0.93]), task, {}) == "places 93%, names 60%"
    assert MULTILABEL.show(np.array([0.1, 0.2, 0.3]), task, {}) == "none"
    assert MULTILABEL.to_json(np.array([0.6, 0.2, 0.5]), task, {})["labels"] == ["names", "places"]
    assert MULTILABEL.outcome(None, [row], task, "names").tolist() == [1]
    assert MULTILABEL.outcome(np.array([[0.1, 0.2, 0.3]]), [row], task, "names").tolist() == [0]
    assert MULTILABEL.outcome(None, [row], task, None) is None


def test_rare_labels_weigh_more_if_asked(make_task, task):
    targets = [[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0], None]
    assert MULTILABEL.class_weights(targets, task) is None
    assert MULTILABEL.class_weights(targets, make_task("multilabel", LABELS, class_weights="balanced")) == [1, 3, 1]


def test_a_finished_model_is_known_by_its_config(task):
    names = {str(at): label for at, label in enumerate(LABELS)}
    found = task_of_config({"architectures": [MULTILABEL.architecture], "id2label": names, **MULTILABEL.settings(task)})
    assert (found.kind, found.labels) == ("multilabel", LABELS)

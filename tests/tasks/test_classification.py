import dataclasses

import numpy as np
import pytest
import torch

from compactlm.tasks import KINDS, kind_of, task_of_config
from compactlm.tasks.base import IGNORED, Input, TaskOfModel
from compactlm.tasks.segmenting import LibrarySegmenter
from tests.tasks.test_pairs import library

TASK = TaskOfModel("classification", ("no", "yes", "perhaps"), "accuracy")
KIND = KINDS["classification"]
ROWS = [Input("a b", label="yes"), Input("c", label="no"), Input("a", label="yes"), Input("b c", label="perhaps")]
LOGITS = [[np.array(row, np.float32)] for row in ([0, 2, 0], [0, 2, 0], [1, 3, 0], [0, 0, 4])]


def answers():
    return KIND.answers(LOGITS, [[]] * 4, ROWS, TASK, {})


def test_rows_become_sequences_with_label_ids():
    found = KIND.encode(LibrarySegmenter(library()), [*ROWS, Input("a")], TASK, 8)
    assert [(one.input_ids, one.second, one.target) for [one] in found] == [
        ([2, 4, 5, 3], None, [1.0]),
        ([2, 6, 3], None, [0.0]),
        ([2, 4, 3], None, [1.0]),
        ([2, 5, 6, 3], None, [2.0]),
        ([2, 4, 3], None, None),
    ]
    assert KIND.collate([one.target for [one] in found], 4).tolist() == [1, 0, 1, 2, IGNORED]


def test_of_a_pair_the_second_text_follows_the_first():
    pairs = dataclasses.replace(TASK, pair=True)
    [[one]] = KIND.encode(LibrarySegmenter(library()), [Input("a", "b c", label="no")], pairs, 8)
    assert (one.input_ids, one.second) == ([2, 4, 3, 5, 6, 3], 3)
    assert KIND.accepts(Input("a", "b"), pairs)
    assert not KIND.accepts(Input("a"), pairs)
    assert not KIND.accepts(Input("a", "b"), TASK)


def test_metrics_are_those_of_the_probabilities():
    found = KIND.measure(answers(), ROWS, TASK, np.array([[1.0, 1, 1, 1], [0, 0, 2, 2]]), {})
    assert found["accuracy"].tolist() == [0.75, 1.0]
    assert set(found) == set(KIND.metrics)
    assert KIND.right(answers(), ROWS, TASK).tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize(("metric", "chance"), [("accuracy", 0.5), ("macro_f1", 2 * 2 / (2 + 4) / 3), ("matthews", 0.0)])
def test_chance_is_the_metric_of_the_most_frequent_label(metric, chance):
    task = dataclasses.replace(TASK, metric=metric)
    assert KIND.chance(ROWS, task, np.ones((1, 4))).tolist() == pytest.approx([chance])
    constant = np.tile([0.1, 0.8, 0.1], (4, 1))
    assert KIND.measure(constant, ROWS, task, np.ones((1, 4)), {})[metric].tolist() == pytest.approx([chance])


def test_rare_labels_weigh_more_where_classes_are_balanced():
    balanced = dataclasses.replace(TASK, class_weights="balanced")
    targets = [[0.0], [0.0], [0.0], [1.0], None]
    assert KIND.class_weights(targets, balanced) == pytest.approx([4 / 6, 2.0, 1.0])
    assert KIND.class_weights(targets, TASK) is None
    logits, labels = torch.zeros(4, 3), torch.tensor([0, 0, 0, 1])
    one = KIND.hard_loss(logits, {"labels": labels}, class_weights=torch.tensor([4 / 6, 2.0, 1.0]))
    assert one.item() == pytest.approx(np.log(3))  # the weights are 1 in the mean over the rows
    more = KIND.hard_loss(logits[:1], {"labels": torch.tensor([1])}, class_weights=torch.tensor([4 / 6, 2.0, 1.0]))
    assert more.item() == pytest.approx(2 * np.log(3))


def test_only_two_labels_have_a_threshold():
    assert KIND.finish(LOGITS, [[]] * 4, ROWS, TASK).thresholds is None
    two = TaskOfModel("classification", ("no", "yes"), "accuracy")
    draws = np.random.default_rng(0)
    rows = [Input("a", label="yes" if draws.random() < 0.5 else "no") for _ in range(200)]
    logits = [[np.array([0.0, (-2.0 if row.label == "no" else 0.0) - draws.random()], np.float32)] for row in rows]
    found = KIND.finish(logits, [[]] * 200, rows, two)
    assert found.thresholds is not None
    assert found.metrics["decision_threshold"] == found.thresholds[1] < 0.5
    assert found.thresholds[0] == 0.5


def test_contradictions_are_sentences():
    wrong = TaskOfModel("classification", ("a", "a"), "spearman")
    assert list(KIND.problems(wrong)) == [
        "metric spearman is not one of accuracy, macro_f1, matthews (kind classification); use one of these",
        "two labels have the same name; rename one",
    ]
    assert "fewer than two labels" in next(KIND.problems(TaskOfModel("classification", ("a",), "accuracy")))
    assert KIND.invalid(Input("a", label="maybe"), TASK) == "the label 'maybe' is not one of no, yes, perhaps"


def test_a_finished_model_knows_its_task():
    found = task_of_config({"architectures": ["BertForSequenceClassification"], "id2label": {"1": "yes", "0": "no"}, "reads_pairs": True})
    assert (found.kind, found.labels, found.pair) == ("classification", ("no", "yes"), True)
    assert kind_of(found) is KIND
    assert KIND.settings(found) == {"reads_pairs": True}
    assert KIND.settings(TASK) == {}


def test_answers_are_shown_and_written():
    assert KIND.show(answers()[3], TASK, {}) == "perhaps 96%"
    assert KIND.to_json(answers()[3], TASK, {})["label"] == "perhaps"
    assert KIND.outcome(answers(), ROWS, TASK, "yes").tolist() == [1, 1, 1, 0]
    assert KIND.outcome(None, ROWS, TASK, "yes").tolist() == [1, 0, 1, 0]
    assert KIND.outcome(None, ROWS, TASK, None) is None

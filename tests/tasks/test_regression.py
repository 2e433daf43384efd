import math

import numpy as np
import pytest
import torch

from compactlm.tasks import KINDS, task_of_config
from compactlm.tasks.base import Input

REGRESSION = KINDS["regression"]


@pytest.fixture
def task(make_task):
    return make_task("regression")


def test_rows_become_sequences_with_a_score(segmenters, make_task):
    rows = [Input("the film", pair="was good", score=2.5), Input("", pair="", score=-1.0), Input("good dog", pair="a cat")]
    examples = [one[0] for one in REGRESSION.encode(segmenters[0], rows, make_task("regression", pair=True), 20)]
    assert [example.target for example in examples] == [[2.5], [-1.0], None]
    labels = REGRESSION.collate([example.target for example in examples], 20)
    assert labels[:2].tolist() == [2.5, -1]
    assert math.isnan(labels[2])
    assert len(examples[1].input_ids) == 3  # an empty pair is [CLS] [SEP] [SEP]
    assert examples[0].second == 4


def test_losses_leave_unlabelled_rows_out():
    batch = {"labels": torch.tensor([1.0, math.nan]), "teacher_logits": torch.tensor([[0.0], [2.0]])}
    logits = torch.tensor([[3.0], [4.0]])
    assert REGRESSION.hard_loss(logits, batch).item() == 4
    assert REGRESSION.soft_loss(logits, batch, 5.0).item() == (9 + 4) / 2


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, None])
def test_scores_that_are_no_finite_numbers_are_told(task, score):
    assert REGRESSION.invalid(Input("a", score=score), task) == f"the score {score} is not a finite number"
    assert REGRESSION.invalid(Input("a", score=0.0), task) is None


def test_contradictions_of_a_task_are_told(make_task, task):
    assert list(REGRESSION.problems(task)) == []
    (problem,) = REGRESSION.problems(make_task("regression", ["low", "high"]))
    assert problem == "labels are listed, but the kind regression has none; remove them, or set another kind"
    (problem,) = REGRESSION.problems(make_task("regression", class_weights="balanced"))
    assert problem.startswith("class_weights is set")


def test_the_scale_of_scores():
    assert REGRESSION.scale([[1.0], [3.0], None]) == (2, 1)
    assert REGRESSION.scale([[0.1], [0.1], [0.1]]) == (pytest.approx(0.1), 1)
    assert REGRESSION.scale([[1e9], [1e9 + 1]]) == (1e9 + 0.5, 0.5)
    assert REGRESSION.scale([None]) == (0, 1)


def test_figures_and_chance(task):
    rows = [Input("a", score=score) for score in (1.0, 2.0, 3.0, 4.0)]
    answers = REGRESSION.answers([[np.array([score], np.float32)] for score in (1.5, 2.5, 3.5, 4.5)], [], rows, task, {})
    found = REGRESSION.measure(answers, rows, task, np.array([[1.0] * 4, [4, 0, 0, 0]]), {})
    assert found["spearman"][0] == found["pearson"][0] == pytest.approx(1)
    assert found["mean_absolute_error"].tolist() == [0.5, 0.5]
    assert math.isnan(found["spearman"][1])  # one row has no order
    assert REGRESSION.chance(rows, task, np.ones((3, 4))).tolist() == [0, 0, 0]
    assert REGRESSION.lower_is_better == ("mean_absolute_error",)


def test_rows_and_answers_are_shown(task):
    assert REGRESSION.show(np.float64(2.3456), task, {}) == "2.35"
    assert REGRESSION.to_json(np.float64(2.5), task, {}) == {"score": 2.5}
    assert REGRESSION.expected(Input("a", score=1.25), task) == "1.25"
    assert REGRESSION.outcome(None, [Input("a", score=1.25)], task, None).tolist() == [1.25]
    assert REGRESSION.strata(Input("a", score=1.25), task) == ""


def test_a_finished_model_is_known_by_its_config(task):
    config = {"architectures": [REGRESSION.architecture], "id2label": {"0": "score"}}
    assert task_of_config({**config, **REGRESSION.settings(task)}).kind == "regression"
    assert task_of_config(config).kind == "regression"

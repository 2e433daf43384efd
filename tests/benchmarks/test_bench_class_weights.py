"""The cases of the benchmark of class weights."""

import numpy as np
import pytest
import torch

from benchmarks import bench_class_weights as bench
from compactlm import artifacts
from compactlm.tasks import kind_of
from tests.fixtures.builders import make_row


@pytest.mark.parametrize(
    ("score", "label"), [(-4.0, "very negative"), (-2.5, "very negative"), (-2.4, "between"), (2.4, "between"), (2.5, "very positive")]
)
def test_an_extreme_rating_has_a_label(score, label):
    assert bench.extreme(make_row(1, "a film", label="x", task="rating", score=score)).label == label


def test_rows_and_task_of_a_case_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [make_row(at, f"a film {at}", label="x", task="rating", score=float(at - 3)) for at in range(7)]
    rows.append(make_row(9, "she won", label="x", task="entities", words=("she", "won"), tags=("B-person", "O")))
    artifacts.write_documents(artifacts.SPLIT / "train", rows)
    task = bench.task_of("extremes", None, "balanced")
    found = bench.rows_of("extremes", "train")
    assert [row.label for row in found] == ["very negative", *["between"] * 5, "very positive"]
    assert all(kind_of(task).invalid(row, task) is None for row in found)
    assert kind_of(task).balanced([kind_of(task).target(row, task) for row in found], task) == pytest.approx([7 / 3, 7 / 15, 7 / 3])
    assert [row.id for row in bench.rows_of("entities", "train")] == [rows[-1].id]


def test_the_recall_of_rare_labels_is_the_mean_of_both():
    rows = [
        bench.extreme(make_row(at, f"a film {at}", label="x", task="rating", score=score)) for at, score in enumerate((-4, -3, 0, 1, 3))
    ]
    answers = np.eye(3)[[0, 1, 1, 1, 2]]
    found = bench.metrics_of("extremes", answers, rows, bench.task_of("extremes", None, "none"))
    assert found == {"accuracy": pytest.approx(0.8), "macro_f1": pytest.approx((2 / 3 + 0.8 + 1) / 3), "rare_recall": pytest.approx(0.75)}


def test_a_seed_draws_its_rows():
    rows = [make_row(at) for at in range(50)]
    assert bench.draw(rows, 10, 1) == bench.draw(rows, 10, 1) != bench.draw(rows, 10, 2)
    assert bench.draw(rows, 100, 1) == list(range(50))


def test_weights_raise_the_recall_of_rare_labels():
    generator = np.random.default_rng(0)
    scores = generator.choice([-3.0, 0.0, 3.0], size=600, p=[0.05, 0.9, 0.05])
    rows = [bench.extreme(make_row(at, f"a film {at}", label="x", task="rating", score=float(score))) for at, score in enumerate(scores)]
    vectors = torch.from_numpy(scores[:, None] + 2.5 * generator.normal(size=(600, 4))).float()
    features = {"train": (rows, vectors), "test": (rows, vectors)}
    found = {name: bench.measure_frozen(how, 500, 1, features) for name, how in bench.LOSSES.items()}
    balanced, plain = found["class_weights: balanced"], found["no weights"]
    assert balanced["rare_recall"] > plain["rare_recall"] + 0.2
    assert balanced["accuracy"] < plain["accuracy"]

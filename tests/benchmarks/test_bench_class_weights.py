"""The cases of the benchmark of class weights."""

import pytest

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

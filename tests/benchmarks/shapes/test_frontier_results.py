"""Results of experiments, read from the output of `dvc exp show --json`: a table, a sentence, files and a picture."""

import dataclasses
import json

import pytest

from benchmarks.shapes.config import Shape
from benchmarks.shapes.experiments import finished
from benchmarks.shapes.picture import draw
from benchmarks.shapes.results import Point, point, rows, verdict, write

SHAPE = Shape(name="4x96", layers=4, hidden_size=96, attention_heads=4, intermediate_size=384)
EVALUATED = {
    "mlm": {"retention": 0.25, "rows": 150, "student_top1": 0.03, "teacher_top1": 0.12},
    "size": {"ratio": 0.05, "student_parameters": 1_282_464, "teacher_parameters": 25_649_280},
    "tasks": {"sentiment": {"chance": 0.5, "retention": 0.9, "retention_above_chance": 0.75, "rows": 90, "student": 0.72, "teacher": 0.8}},
}
DISTILLED = {"sentiment": {"validation_accuracy": {"value": 0.68, "status": 0}}}
TAUGHT = {"sentiment": {"accuracy": {"value": 0.8, "status": 0}}, "parameters": 9}


def metrics(evaluated=EVALUATED, distilled=DISTILLED, taught=TAUGHT):
    found = {"evaluate": evaluated, "distill-train": distilled, "teacher": taught}
    return {f"reports/metrics/{stage}.json": content for stage, content in found.items()}


def shown(name, found, state="success", **more):
    metrics = {file: {"data": content} for file, content in (found | {"reports/metrics/clean.json": {}}).items()}
    revision = {"rev": f"rev-{name}", "name": name, "data": {"metrics": metrics}, "error": None}
    return {"name": name, "revs": [revision | more], "executor": None if state is None else {"state": state}}


def result(name, parameters, retention, above=0.7, words=0.2, test=None):
    """Build a shape with a retention on validation rows, which is also the one on test rows unless `test` is given."""
    return Point(name, 2, 8, parameters, parameters / 1e7, 0.8, 0.7, test or retention, above, 0.1, 0.02, words, retention)


def test_only_finished_experiments_are_found(capsys):
    names = [f"frontier-{letter}" for letter in "abcde"]
    document = [
        {"rev": "workspace", "data": {"metrics": {}}, "experiments": None},
        {
            "rev": "0123",
            "name": "main",
            "experiments": [
                shown("frontier-a", metrics()),
                shown("frontier-b", metrics(), state=None),
                shown("frontier-c", metrics(), state="failed"),  # dvc shows the metrics of the workspace for it
                shown("frontier-d", metrics(), state="queued"),
                shown("frontier-e", metrics(), data=None, error={"msg": "broken"}),
                shown("another", metrics()),
            ],
        },
    ]
    assert finished(document, names) == {name: (f"rev-{name}", metrics()) for name in names[:2]}
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == names[2:]


def test_a_point_has_the_figures_of_evaluate():
    one = point(SHAPE, metrics())
    assert (one.name, one.layers, one.hidden_size, one.parameters, one.share) == ("4x96", 4, 96, 1_282_464, 0.05)
    assert (one.teacher, one.student, one.retention, one.retention_above_chance) == (0.8, 0.72, 0.9, 0.75)
    assert (one.masked_words_teacher, one.masked_words_student, one.masked_words_retention) == (0.12, 0.03, 0.25)
    assert one.validation_retention == pytest.approx(0.85)


def test_figures_are_means_over_tasks_and_not_judged_if_a_task_lacks_one():
    task = EVALUATED["tasks"]["sentiment"]
    other = {key: value for key, value in task.items() if key != "retention_above_chance"} | {"retention": 0.7, "student": 0.56}
    both = EVALUATED | {"tasks": {"sentiment": task, "topic": other}}
    topic = {"topic": {"validation_accuracy": {"value": 0.6}}}, {"topic": {"accuracy": {"value": 0.8}}}
    one = point(SHAPE, metrics(both, DISTILLED | topic[0], TAUGHT | topic[1]))
    assert one.validation_retention == pytest.approx(0.8)
    assert one.retention == pytest.approx(0.8)
    assert one.student == pytest.approx(0.64)
    assert one.retention_above_chance is None
    assert rows([one], {}) == [
        ["4x96", "1,282,464", "5.0\u00a0%", "80.0\u00a0%", "64.0\u00a0%", "80.0\u00a0%", "not judged", "25.0\u00a0%", ""]
    ]


def test_the_verdict_names_the_smallest_shape_with_enough_retention_on_validation_rows():
    points = [result("large", 900_000, 0.99), result("small", 100_000, 0.9, test=0.99), result("middle", 500_000, 0.95, test=0.94)]
    assert verdict(points, 0.95) == (
        "The smallest shape that keeps at least 95.0\u00a0% of the teacher's accuracy on validation rows is middle: 95.0\u00a0%, "
        "and 94.0\u00a0% on test rows "
        "(70.0\u00a0% above chance), with 500,000 parameters, 5.0\u00a0% of the teacher's."
    )
    assert verdict(points, 0.995) == (
        "No shape keeps at least 99.5\u00a0% of the teacher's accuracy on validation rows; large keeps most, 99.0\u00a0%."
    )
    assert "could be judged" in verdict([result("a", 1, None)], 0.95)
    assert point(SHAPE, metrics(taught={"sentiment": {"accuracy": {"value": 0.0}}})).validation_retention is None


def test_files_contain_all_shapes(tmp_path):
    points = [result("a", 100, 0.9), result("b", 200, 0.95, above=None)]
    write(tmp_path, points, {"a": 1.25}, {"enough": 0.95})
    document = json.loads((tmp_path / "frontier.json").read_text())
    assert document["enough"] == 0.95
    assert [one["name"] for one in document["shapes"]] == ["a", "b"]
    header, *lines = (line.split("\t") for line in (tmp_path / "frontier.tsv").read_text().splitlines())
    assert header == [*(field.name for field in dataclasses.fields(Point)), "latency_ms"]
    first, second = (dict(zip(header, line, strict=True)) for line in lines)
    assert (first["name"], first["parameters"], first["retention"], first["latency_ms"]) == ("a", "100", "0.9000", "1.2500")
    assert second["retention_above_chance"] == second["latency_ms"] == ""


@pytest.mark.parametrize(
    ("points", "latencies"),
    [
        ([result("a", 10**5, 0.8), result("b", 10**6, 0.96)], {"a": 1.0, "b": 2.0, "teacher": 20.0}),
        ([result("a", 10**5, 1.2, above=-0.4)], {"a": 1.0}),
        ([result("a", 10**5, None, above=None, words=None), result("b", 10**5, 0.9)], {}),
    ],
)
def test_a_picture_is_drawn(tmp_path, points, latencies):
    path = tmp_path / "pictures" / "retention.png"
    draw(path, points, latencies, 0.95, 0.1)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in path.parent.iterdir()] == ["retention.png"]
    before = path.read_bytes()
    draw(path, points, latencies, 0.95, 0.1)
    assert path.read_bytes() == before

"""Compare student sizes: train the shapes of configs/frontier.yaml in DVC's queue, and draw how much quality each one retains.

    python -m benchmarks.frontier                   # use the default preset
    python -m benchmarks.frontier preset=smoke      # use other parameters, like `dvc exp run -S`
    python -m benchmarks.frontier --collect         # only draw the finished experiments

Only reports/frontier/ of the workspace changes. `dvc exp apply frontier-NAME` brings one of the students into the workspace.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.shapes.config import FRONTIER, Frontier, compose_all, read_listed
from benchmarks.shapes.experiments import alone, finished, read_arguments, run_experiments, run_main
from benchmarks.shapes.results import Point, point, rows, verdict, write
from benchmarks.shared import harness
from compactlm import artifacts
from compactlm.errors import CompactLMError
from compactlm.params import Params
from compactlm.shapes.budget import parameters_of

REPORTS = artifacts.FRONTIER
PREFIX = "frontier-"


def collect(frontier: Frontier, composed: Mapping[str, Params], shown: Sequence[Mapping[str, Any]]) -> tuple[list[Point], str]:
    """Return the results of all finished shapes, smallest first, and the revision of one of them; print which are missing."""
    names = {PREFIX + shape.name: shape for shape in frontier.shapes}
    points, last = [], ""
    for name, (revision, evaluated) in finished(shown, list(names)).items():
        shape = names[name]
        one, params = point(shape, evaluated), composed[shape.name]
        labels = max(len(task.labels) for task in params.tasks.values())
        expected = parameters_of(params.student, int(params.student.vocabulary_size), labels)
        if one.parameters != expected:
            print(
                f"{name} has {one.parameters:,} parameters but {FRONTIER} asks for {expected:,}, so it is left out; run `make frontier`",
                file=sys.stderr,
            )
            continue
        points.append(one)
        last = revision
    if not points:
        raise CompactLMError("no shape has a result, so nothing is drawn; fix the failures above and run `make frontier` again")
    return sorted(points, key=lambda one: one.parameters), last


def time_models(frontier: Frontier, composed: Mapping[str, Params], points: Sequence[Point], revision: str) -> dict[str, Any]:
    """Measure each shape and the teacher on this machine, and return the content of latency.json."""
    import dvc.api
    from transformers import BertConfig

    from benchmarks.shapes.latency import measure
    from compactlm.student.building import build_config

    params = composed[points[0].name]
    teacher = dvc.api.read((artifacts.TEACHER / next(iter(params.tasks)) / "config.json").as_posix(), rev=revision)
    models = {one.name: build_config(composed[one.name].student, int(composed[one.name].student.vocabulary_size)) for one in points}
    models["teacher"] = BertConfig.from_dict(json.loads(teacher))
    return measure(models, frontier.latency, params.threads, params.export.opset)


def print_results(frontier: Frontier, points: Sequence[Point], latencies: Mapping[str, float], timed: Mapping[str, Any]) -> None:
    """Print the table and the recommendation."""
    columns = ("shape", "parameters", "of the teacher", "teacher", "student", "retention", "above chance", "masked words", "ms")
    console = harness.new_console(110)
    harness.show(console, "Retention of each shape", columns, rows(points, latencies), {"shape"})
    console.print(f"Teacher: {latencies['teacher']:.2f} ms with {timed['threads']} threads ({timed['processor']})", soft_wrap=True)
    console.print(verdict(points, frontier.enough), soft_wrap=True)
    console.print(f"Drawn in {REPORTS}/retention.png; `dvc exp apply frontier-NAME` applies a shape.", soft_wrap=True)


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 1 if a shape has no result."""
    chosen = read_arguments(arguments, "make frontier", "Train several shapes and draw how much quality each retains.")
    frontier = read_listed(Frontier, FRONTIER)
    composed = compose_all(frontier, chosen.overrides)
    with alone("make frontier"):
        each = {PREFIX + one.name: [*frontier.overrides, *chosen.overrides, *one.overrides()] for one in frontier.shapes}
        points, revision = collect(frontier, composed, run_experiments(each, chosen.collect))
        timed = time_models(frontier, composed, points, revision)
        latencies = {name: one["median"] for name, one in timed["milliseconds"].items()}
        write(REPORTS, points, latencies, {"enough": frontier.enough, "overrides": [*frontier.overrides, *chosen.overrides]})
        artifacts.write_json(REPORTS / "latency.json", timed)

        from benchmarks.shapes.picture import draw

        draw(REPORTS / "retention.png", points, latencies, frontier.enough, frontier.budget)
        print_results(frontier, points, latencies, timed)
    return int(len(points) < len(frontier.shapes))


if __name__ == "__main__":
    run_main("frontier", main)

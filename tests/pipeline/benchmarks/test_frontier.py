"""`make frontier` through the queue of DVC. Its only shape is that of the smoke preset, so nothing is trained."""

import re

import pytest
import yaml

from compactlm.artifacts import read_json

pytestmark = pytest.mark.pipeline

FRONTIER = {
    "overrides": ["student.vocabulary_size=3000"],
    "enough": 0.95,
    "budget": 0.1,
    "latency": {"tokens": 32, "warm_up": 1, "runs": 5},
    "shapes": [{"name": "4x128", "layers": 4, "hidden_size": 128, "attention_heads": 4, "intermediate_size": 512}],
}


def test_a_shape_is_drawn_and_the_workspace_does_not_change(smoke, tmp_path):
    copy = smoke.clone(tmp_path / "copy")
    copy.path("configs/frontier.yaml").write_text(yaml.safe_dump(FRONTIER))
    output = copy.run("python", "-m", "benchmarks.frontier", "preset=smoke")
    assert "frontier-4x128: success" in output
    changed = [line[3:] for line in copy.run("git", "status", "--porcelain", "--untracked-files=all").splitlines()]
    assert all(name == "configs/frontier.yaml" or name.startswith("reports/frontier/") for name in changed), changed
    assert re.findall(r"Running stage '([a-z-]+)'", copy.run("dvc", "queue", "logs", "frontier-4x128")) == []
    evaluated = read_json(smoke.path("reports/metrics/evaluate.json"))
    (shape,) = read_json(copy.path("reports/frontier/frontier.json"))["shapes"]
    assert shape["parameters"] == evaluated["size"]["student_parameters"]
    assert shape["retention"] == evaluated["tasks"]["sentiment"]["retention"]
    assert set(read_json(copy.path("reports/frontier/latency.json"))["milliseconds"]) == {"4x128", "teacher"}
    assert copy.path("reports/frontier/retention.png").is_file()

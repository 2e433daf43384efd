"""Two processes of `accelerate launch` on the CPU, compared with one."""

import pytest

from compactlm.artifacts import read_json

pytestmark = pytest.mark.pipeline

LAUNCH = "accelerate launch --multi_gpu --num_processes=2 --num_machines=1 --mixed_precision=no -m compactlm.stages.distill_train"


def test_two_processes_reach_the_quality_of_one(smoke, tmp_path):
    copy = smoke.clone(tmp_path / "copy")
    copy.run(*LAUNCH.split())
    alone, both = (read_json(one.path("reports/metrics/distill-train.json")) for one in (smoke, copy))
    for phase, losses in {"general": ("loss", "hard"), "sentiment": ("loss", "soft", "hidden")}.items():
        for loss in losses:
            assert both[phase][loss] == pytest.approx(alone[phase][loss], rel=0.05), (phase, loss)
    assert both["sentiment"]["validation_accuracy"]["value"] == pytest.approx(alone["sentiment"]["validation_accuracy"]["value"], abs=0.06)
    assert "distill-train" in copy.run("dvc", "status")
    copy.run("dvc", "commit", "--force", "distill-train")
    assert "distill-train" not in copy.run("dvc", "status").split("evaluate")[0]
    assert "Running stage 'evaluate'" in copy.run("dvc", "repro", "--dry", "evaluate")

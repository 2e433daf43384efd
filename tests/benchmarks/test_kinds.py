from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks.kinds.pooling import measure, pool
from benchmarks.kinds_over_seeds import STAGES
from compactlm import artifacts
from compactlm.figures.bootstrap import Resampler
from tests.fixtures.compared import two_models


def one(teacher, student, chance=0.5, spread=0.01, rows=400):
    covariance = (np.eye(3) * spread**2).tolist()
    figures = {"teacher": teacher, "student": student, "chance": chance}
    return {"kind": "classification", "metric": "accuracy", "rows": rows, **figures, "covariance": covariance, "int8_loss": 0.01}


def test_the_stages_of_a_seed_write_what_is_collected():
    stages = yaml.safe_load(Path(__file__).parents[2].joinpath("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    files = [*stages["export"]["metrics"], *(one for name in STAGES for one in stages[name]["outs"])]
    written = {next(iter(one)) if isinstance(one, dict) else one for one in files}
    assert {str(artifacts.PREDICTIONS), str(artifacts.METRICS / "export.json")} <= written
    assert str(artifacts.SPLIT) in stages["split"]["outs"]


def test_a_seed_has_the_metric_and_its_covariance():
    answers = two_models(400)
    found = measure(answers, Resampler(300, 1))
    assert found["teacher"] == pytest.approx(answers.right("teacher").mean())
    assert found["student"] == pytest.approx(answers.right("student").mean())
    variance = answers.right("student").var() / 400
    assert found["covariance"][1][1] == pytest.approx(variance, rel=0.3)


def test_means_over_seeds_have_narrower_intervals():
    alone, three = (pool([one(0.8, 0.76)] * count, 0.95, 1) for count in (1, 3))
    assert alone["retention"] == three["retention"] == pytest.approx(0.95)
    assert three["retention_above_chance"] == pytest.approx(0.26 / 0.3)
    widths = [found["retention_high"] - found["retention_low"] for found in (alone, three)]
    assert widths[1] == pytest.approx(widths[0] / 3**0.5, rel=0.05)
    assert three["retention_above_chance_low"] < three["retention_above_chance"] < three["retention_above_chance_high"]
    assert (three["int8_loss"], three["seeds"], three["rows"]) == (pytest.approx(0.01), 3, 400)


def test_a_teacher_near_chance_proves_nothing_and_few_rows_are_told():
    found = pool([one(0.54, 0.53, rows=100)], 0.95, 1)
    assert (found["proves_nothing"], found["small"]) == (1, 1)
    assert (pool([one(0.8, 0.7, rows=2000)], 0.95, 1)["proves_nothing"], pool([one(0.8, 0.7, rows=2000)], 0.95, 1)["small"]) == (0, 0)

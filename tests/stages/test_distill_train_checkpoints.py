"""What the checkpoints of distill-train stand for: everything that a run computes with, and nothing else."""

from pathlib import Path

import pytest
import yaml

from compactlm import artifacts
from compactlm.params import parse_params
from compactlm.stages import distill_train
from compactlm.stages.distill_train import _checkpoints

HOME = Path(__file__).parents[2]


@pytest.fixture
def key(tmp_path, monkeypatch, default_params):
    """A function that gives the fingerprint of a run with some parameters changed, over artifacts in a directory of the test."""
    monkeypatch.chdir(tmp_path)
    params = parse_params(yaml.safe_load(default_params))
    for name in ("cache.json", "rows.parquet", "tensors.safetensors"):
        file = artifacts.SIGNALS / "general" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (artifacts.TOKENIZED / "train").mkdir(parents=True)

    def of(**changed):
        [found] = {checkpoint.key for checkpoint in _checkpoints(params.model_copy(update=changed)).values()}
        return found

    return of


@pytest.mark.parametrize("changed", [{"batch_tokens": 2048}, {"seed": 18}, {"threads": 1}, {"precision": "bf16"}])
def test_parameters_that_change_what_is_computed_change_the_fingerprint(key, changed):
    assert key(**changed) != key() == key()


@pytest.mark.parametrize(
    "file", [f"{artifacts.SIGNALS}/general/cache.json", f"{artifacts.SIGNALS}/general/rows.parquet", f"{artifacts.TOKENIZED}/train/new"]
)
def test_new_signals_and_rows_change_the_fingerprint(key, file):
    before = key()
    Path(file).write_text("other")
    assert key() != before


@pytest.mark.parametrize(
    ("section", "change"),
    [("signals", {"gigabytes": 9.0}), ("student", {"task_share": 0.9}), ("distill", {"checkpoint_minutes": 9.0})],
)
def test_parameters_that_training_does_not_use_leave_the_fingerprint(key, default_params, section, change):
    present = getattr(parse_params(yaml.safe_load(default_params)), section)
    assert key(**{section: present.model_copy(update=change)}) == key()


def test_the_fingerprint_has_every_parameter_that_the_stage_declares():
    declared = set(yaml.safe_load((HOME / "dvc.yaml").read_text())["stages"]["distill-train"]["params"])
    # The lengths reach training through the tokenized rows and the signals, whose sha256 the fingerprint has.
    measured = {"energy", "tokenize.maximum_length", "teacher.maximum_length", "teacher.mlm_head.validation_words"}
    assert set(distill_train.USED) == declared - measured
